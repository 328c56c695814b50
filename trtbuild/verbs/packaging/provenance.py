"""Where what is packed comes from, as an in-toto statement that others' tools can read.

The statement is of type https://in-toto.io/Statement/v1, with a predicate of
https://slsa.dev/provenance/v1; neither holds a time, so that equal builds say the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trtbuild import __version__
from trtbuild.core.digest import digest_of_bytes, digest_of_file
from trtbuild.recipe.variants import find_recipe_file
from trtbuild.verbs.packaging.placed_build import PlacedBuild
from trtbuild.verbs.packaging.writing import Content

__all__ = ["write_provenance"]


def write_provenance(
    build: PlacedBuild, files: Mapping[str, Content], sources: Mapping[str, str]
) -> bytes:
    """Return the statement about all files of a bundle, as JSON.

    `sources` are the files that it was built from, each with its digest.
    """
    subjects = [{"name": name, "digest": _digest(files[name])} for name in sorted(files)]
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": f"urn:trtbuild:{'refit' if build.refit else 'apply'}:v1",
                "externalParameters": {"recipe": build.loaded.file.name},
                "internalParameters": _list_parameters(build),
                "resolvedDependencies": _list_dependencies(build, sources),
            },
            "runDetails": {
                "builder": {
                    "id": f"pkg:pypi/trtbuild@{__version__}",
                    "version": {"trtbuild": __version__, **_tools(build)},
                }
            },
        },
    }
    return (json.dumps(statement, indent=1) + "\n").encode()


def _digest(content: Content) -> dict[str, str]:
    told = digest_of_file(content) if isinstance(content, Path) else digest_of_bytes(content)
    return _split(told)


def _split(digest: str) -> dict[str, str]:
    algorithm, _, number = digest.partition(":")
    return {algorithm: number}


def _list_parameters(build: PlacedBuild) -> dict[str, Any]:
    """Return which targets were built, and of a refitted engine the one before it."""
    targets = {"targets": [each.result.target for each in build.engines]}
    return targets | ({"refitted_from": _split(build.refit.refitted_from)} if build.refit else {})


def _list_dependencies(build: PlacedBuild, sources: Mapping[str, str]) -> list[dict[str, Any]]:
    recipe = find_recipe_file(build.loaded.file)
    found = {recipe.name: digest_of_file(recipe), **sources}
    told: list[dict[str, Any]] = [{"name": n, "digest": _split(found[n])} for n in found]
    if build.refit is not None:
        weights = {"name": build.refit.weights, "digest": _split(build.refit.weights_digest)}
        told.append({**weights, "annotations": {"used for": "the weights of the refit"}})
    return told


def _tools(build: PlacedBuild) -> dict[str, str]:
    """Return the versions of what built the engines."""
    found: dict[str, str] = {}
    for each in build.engines:
        found |= each.result.versions
    return dict(sorted(found.items()))
