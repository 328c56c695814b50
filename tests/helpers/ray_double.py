"""A double of Ray: actors are plain objects, what is asked of them is answered at once."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from trtbuild.core.needs import GPU
from trtbuild.machine.facts import InstalledPackages
from trtbuild.run.cluster.nodes import ClusterNode, FarPackages, _FarPython
from trtbuild.run.cluster.session import RaySession
from trtbuild.run.executor import CallResult


class Lost(Exception):
    """What Ray raises where an actor died."""


class RayDouble:
    """What the executor uses of Ray; `answers` are given to calls in turn: a result, or raised."""

    exceptions = SimpleNamespace(RayError=Lost)

    def __init__(self, answers=()):
        self.answers = list(answers)
        self.made, self.killed, self.asked, self.closed = [], [], [], []

    def remote(self, cls):
        def make(options):
            def remote(*arguments):
                actor = SimpleNamespace(number=len(self.made), options=options)
                actor.run = SimpleNamespace(remote=lambda *asked: self._run(actor, asked))
                actor.close = SimpleNamespace(remote=lambda: self.closed.append(actor.number))
                actor.progress = SimpleNamespace(remote=lambda: ("progress", actor.number))
                self.made.append(options)
                return actor

            return SimpleNamespace(remote=remote)

        return SimpleNamespace(options=lambda **options: make(options))

    def _run(self, actor, asked):
        self.asked.append(asked)
        return ("ref", len(self.asked))

    def wait(self, refs, num_returns, timeout):
        return [ref for ref in refs if ref is not None and ref[0] == "ref"][:1], []

    def get(self, ref):
        if isinstance(ref, bytes):
            return ref
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def put(self, value):
        return value

    def kill(self, actor, no_restart):
        self.killed.append(actor.number)


def end(name="it", **more):
    """Return a slot's answer of a call that ended."""
    result = CallResult(name=name, seconds=1.0, where="far, process 7", **more)
    return {"end": result.model_dump_json()}


def node(name="a", *, cpus=1.0, gpu="", gpus=0.0, more=None, kinds=("", "tensorrt_rtx"), **rest):
    """Return a node that has what is installed here, and a made-up GPU."""
    here = InstalledPackages()
    found = {each: here[each] for each in here.list_names()} | (more or {})
    pythons = {kind: _FarPython(found, "", "") for kind in kinds}
    facts = {GPU: gpu} if gpu else {}
    return ClusterNode(name, name, cpus, gpus, facts, pythons, **rest)


def session_with(ray, nodes):
    """Return a session that is connected to the double."""
    session = RaySession.__new__(RaySession)
    session.ray, session._owns = ray, False

    def list_nodes(where="cpu", batch=None):
        """As `look_around` tells: to who wants the CPU, no node tells of a GPU to compute on."""
        if where == "cpu":
            return tuple(replace(each, inference="", no_inference="") for each in nodes)
        return tuple(replace(each, batch=batch) for each in nodes)

    session.list_nodes = list_nodes
    return session


__all__ = ["FarPackages", "Lost", "RayDouble", "end", "node", "session_with"]
