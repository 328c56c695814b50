"""What lies where in a store, as the store itself tells it."""

from __future__ import annotations

__all__ = ["README"]

README = """This is trtbuild's store: results of build steps, kept so that they need not run again.

objects/   files by the sha256 of their contents; read-only
actions/   what each step was made of and what it left, by the digest of its ingredients
contents/  the same actions, by the digests of their inputs' contents
observed/  what code of yours was seen to read and load, by the digest of what it declares
records/   the last runs of each recipe
logs/      what the builder of each engine said
work/      steps that are running, or that failed (their logs)
locks/     one lock a step
benches/   what `trtbuild bench` measured, by recipe and time
running/   what is being built at the moment
stamps/    what commands with nothing to do said, to be said again while that is so

Everything here can be made again: deleting the directory costs time, and nothing else.
"""
