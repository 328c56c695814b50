"""Options of targets, from what a command told the builder."""

from __future__ import annotations

from dataclasses import replace

from trtbuild.verbs.init.draft import Draft
from trtbuild.verbs.init.old_commands.command_line import Reading
from trtbuild.verbs.init.old_commands.target_options import choose_old_targets
from trtbuild.verbs.init.targets import choose_targets

DRAFT = replace(Draft("", "m", ()), targets=choose_targets(["tensorrt_rtx"], []))


def targets_of(monkeypatch, tmp_path, buildable=("tensorrt_rtx",), **told):
    reading = Reading(told, [])
    kinds = dict.fromkeys(("tensorrt_rtx", "tensorrt11", "tensorrt10"), False)
    monkeypatch.setattr(
        "trtbuild.verbs.init.old_commands.target_options.list_buildable",
        lambda: kinds | dict.fromkeys(buildable, True),
    )
    made = choose_old_targets(reading, DRAFT, (), tmp_path)
    return {entry.key: entry.value for entry in made}, [flag for flag, _ in reading.notes]


def test_what_this_machine_builds_has_the_options_too(monkeypatch, tmp_path):
    """As far as it can have them; the other is deferred."""
    found, notes = targets_of(monkeypatch, tmp_path, version_compatible=True, tf32=False)

    assert {"kind": "tensorrt11", "tf32": False, "version_compatible": True} == found["trt11"]
    assert not found["rtx"]["tf32"]
    assert "version_compatible" not in found["rtx"]
    assert [] == notes


def test_one_that_can_be_built_is_enough(monkeypatch, tmp_path):
    """TensorRT 10, where that is what is here."""
    found, _ = targets_of(monkeypatch, tmp_path, ("tensorrt10", "tensorrt_rtx"))

    assert ["trt10"] == list(found)


def test_what_a_target_cannot_have_is_named(monkeypatch, tmp_path):
    """A pool of a DLA, an unknown feature, a file that is not here."""
    found, notes = targets_of(
        monkeypatch,
        tmp_path,
        pools={"dla_managed_sram": 2**20, "tactic_dram": 2**20},
        preview_features=["none_such"],
        timing_cache="gone.cache",
    )

    assert {"tactic_dram": "1MiB"} == found["trt11"]["memory_pools"]
    assert {
        "the timing cache gone.cache",
        "the memory pool dla_managed_sram",
        'preview_features ["none_such"]',
    } == set(notes)


def test_old_libraries_are_tensorrt_10s(monkeypatch, tmp_path):
    """cuDNN and cuBLAS left in 11."""
    found, _ = targets_of(monkeypatch, tmp_path, tactic_sources=["cudnn"])

    assert ["cudnn"] == found["trt10"]["tactic_sources"]
