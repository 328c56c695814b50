"""What TensorRT says, as a reader gets it: each common message with node, cause and fix."""

from __future__ import annotations

import re

import pytest

from tests.helpers.models import model_of
from trtbuild.backends.tensorrt.messages import (
    EXPLANATIONS,
    explain_warnings,
    find_explanation,
    make_refusal,
)
from trtbuild.backends.tensorrt.shared import BuildLog

MODEL = """net (float[1, 4] x) => (float[1, 4] y) {
    [act] a = Relu(x)
    [last] y = Sigmoid(a)
}"""
CODE = "[optimizer.cpp::computeCosts::4048] Error Code 10: Internal Error "
SAID = {
    "a parser failure": [
        (
            "In node 0 with name: act and operator: Relu (parseNode): UNSUPPORTED_NODE: Assertion "
            "failed: ctx->x(): no."
        )
    ],
    "an unknown operator": [
        (
            "In node 3 with name: odd and operator: Fancy (parseNode): INVALID_NODE: creator && "
            '"Plugin not found, are the plugin name, version, and namespace correct?"'
        )
    ],
    "a plugin that is not loaded": [
        "IPluginRegistry::getCreator: Error Code 4: API Usage Error (Cannot find plugin)",
        "3: getPluginCreator could not find plugin: NMS version: 1",
    ],
    "no implementation": [f"{CODE}(Could not find any implementation for node act + last.)"],
    "no implementation of a fused part": [
        f"{CODE}(Could not find any implementation for node {{ForeignNode[act...last]}}.)"
    ],
    "no kernel of TensorRT-RTX within the limit": [
        (
            "IBuilder::buildSerializedNetwork: Error Code 1: Myelin ([tactic.cpp:1676: "
            "enumerate_tactics] Tactic Selection: no tactics to implement the operation within "
            "workspace limit. Consider increase the allowed workspace size if applicable."
        )
    ],
    "too little workspace": [
        (
            f"{CODE}(Could not find any implementation for node act due to insufficient workspace. "
            "See verbose log for requested sizes.)"
        )
    ],
    "out of the GPU's memory": [
        (
            "2: [virtualMemoryBuffer.cpp::resizePhysical::145] Error Code 2: OutOfMemory (no "
            "further information)"
        ),
        f"{CODE}(Could not find any implementation for node act.)",
    ],
    "out of host memory": ["Unexpected exception std::bad_alloc"],
    "no scales at all": ["Calibration failure occurred with no scaling factors detected."],
    "a calibration cache": ["Calibration table does not match calibration algorithm."],
    "a timing cache of another GPU": [
        "Error Code 1: Serialization (Serialization assertion magicTagRead == kMAGIC_TAG failed.)",
        "4: The timing cache will not be used!",
    ],
    "shapes that do not fit": ["Error Code 4: API Usage Error (x: optimization profile 0 odd)"],
    "a timing cache that lacks a kernel": ["Error Code 10: timing cache miss for node act"],
    "a plan of another version": [
        (
            "The engine plan file is not compatible with this version of TensorRT, expecting "
            "library version 10.9.0.34 got 10.16.1.11, please rebuild."
        )
    ],
    "a damaged plan": [
        (
            "Error Code 1: Serialization (Serialization assertion magicTagRead == kMAGIC_TAG "
            "failed.Magic tag does not match)"
        )
    ],
    "a plan for another GPU": [
        (
            "The engine plan file is generated on an incompatible device, expecting compute 8.9 "
            "got compute 9.0, please rebuild."
        )
    ],
    "nothing known": ["Error Code 9: strange\n  thing", "later"],
}
WARNED = [
    f"Missing scale and zero-point for tensor {name}, expect fall back to non-int8 implementation "
    "for any layer consuming or producing given tensor"
    for name in ("a", "y")
]


@pytest.fixture
def model(tmp_path):
    """A model whose nodes have names."""
    path = tmp_path / "m.onnx"
    path.write_bytes(model_of(MODEL).SerializeToString())
    return path


def log_of(errors=(), warnings=()):
    log = BuildLog()
    log.errors += errors
    log.warnings += warnings
    return log


def test_each_message_comes_with_its_cause_and_what_to_do(golden, model):
    """Quoted, led back to the ONNX node, explained."""
    told = []
    for title, errors in SAID.items():
        error = make_refusal("TensorRT 10", log_of(errors), "", model=model)
        told.append(f"{title}\n  {error.message}\n  hint: {error.hint}\n")
    told.append("warnings\n" + "".join(f"  {note}\n" for note in explain_warnings(WARNED, model)))

    golden("explained.txt", "\n".join(told))


def test_no_explanation_stands_behind_one_that_hides_it():
    """Each row of the table is the first to match some message of its own."""
    samples = [text for texts in SAID.values() for text in texts]
    reached = {found[0] for text in [*samples, *WARNED] if (found := find_explanation([text]))}
    others = {each for each in EXPLANATIONS if each not in reached and _plain(each.sign)}

    for each in others:
        assert each is find_explanation([each.sign])[0], each.sign
    assert len(EXPLANATIONS) == len(reached | others)


def _plain(sign):
    return re.escape(sign).replace(r"\ ", " ").replace(r"\-", "-") == sign


def test_a_warning_is_heard_where_no_error_explains():
    """TensorRT says only by a warning how much memory it could not get."""
    said = "Requested amount of GPU memory (4294967296 bytes) could not be allocated."

    error = make_refusal("TensorRT 10", log_of(["Error Code 2: strange"], [said]), "")

    assert "free memory" in error.hint


def test_without_a_word_the_exception_is_quoted():
    """Polygraphy's own message, where the log has no errors."""
    assert (
        "refuses the engine: odd" in make_refusal("T", log_of(), "odd", what="the engine").message
    )


def test_what_lost_kernels_ask_for_stands_in_the_refusal(model):
    """Of the layer that the message names."""
    log = log_of(SAID["too little workspace"])
    log.scratch.hear("--------------- Timing Runner: act (CaskPooling)")
    log.scratch.hear("Tactic: 0x4 skipped. Scratch requested: 8388608, available: 0")

    hint = make_refusal("TensorRT 11", log, "", model=model).hint

    assert hint.endswith(
        "raise the target's `workspace` (kernels of it were lost that ask for 8.0 MiB)"
    )


def test_tactics_that_the_gpu_has_no_room_for_are_one_note(model):
    """TensorRT warns of each, twice, with other numbers every time."""
    said = [
        form.format(size)
        for size in (4720, 4711)
        for form in (
            "Tactic Device request: {}MB Available: 2387MB. Device memory is insufficient.",
            "Skipping tactic 3 due to insufficient memory on requested size of {} detected.\nTry",
        )
    ]

    (told,) = explain_warnings(said, model)

    assert "(3 more like it)" in told
    assert "the GPU has too little free memory" in told
