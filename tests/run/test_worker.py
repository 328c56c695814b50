"""A call is run, and its end told as plain values, whatever happens in it."""

from __future__ import annotations

import json

import pytest

from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.run.executor import Call, StepProgress
from trtbuild.run.worker import explain_import_error, run_call


class Doing:
    """A step that does one thing."""

    def __init__(self, act):
        self.run = act

    def user_code(self):
        return None


def report_of(act, *, told=None, caveats=(), tmp_path):
    call = Call.model_construct(
        name="it",
        step=Doing(act),
        inputs={"before/model": "/m.onnx"},
        out=str(tmp_path),
        log="",
        facts={"onnx": "1.0"},
        caveats=caveats,
    )
    return run_call(call, [].append if told is None else told, threads=3)


def raising(error):
    def act(context):
        raise error

    return act


@pytest.mark.parametrize(
    ("code", "message", "error"),
    [
        (3, "`x` is corrupt", StepInputError("`x` is corrupt")),
        (4, "w: no such file", MissingFile("w: no such file")),
        (4, "`cv2` is not installed", ModuleNotFoundError("no", name="cv2.dnn")),
        (3, "out of memory", MemoryError()),
        (4, "[Errno 28] No space left on device: 'f'", OSError(28, "No space left on device", "f")),
        (70, "a bug in trtbuild: KeyError: 'w'", KeyError("w")),
        (70, "a bug in trtbuild: AssertionError: ", AssertionError()),
    ],
)
def test_an_error_is_told_with_its_exit_code(code, message, error, tmp_path, capsys):
    """What is expected in a sentence; what is not is a bug, its traceback in the log."""
    report = report_of(raising(error), tmp_path=tmp_path)

    assert (code, message) == (report["code"], report["message"])
    assert (code == 70) == ("Traceback" in capsys.readouterr().err)


def test_what_a_library_said_in_full_goes_into_the_log(tmp_path, capsys):
    """The message quotes it; the rest is for whoever looks."""

    def act(context):
        raise StepInputError("the picture is corrupt") from ValueError("line 1 of its 40")

    assert "the picture is corrupt" == report_of(act, tmp_path=tmp_path)["message"]
    assert "ValueError: line 1 of its 40" in capsys.readouterr().err


def test_a_step_sees_what_its_call_says(tmp_path):
    """Inputs as paths, its folder, facts, and how many threads it may use."""
    seen = []
    report_of(seen.append, tmp_path=tmp_path)

    (context,) = seen
    assert {"before/model": "/m.onnx"} == {k: str(v) for k, v in context.inputs.items()}
    assert (tmp_path, {"onnx": "1.0"}, 3) == (context.out, context.facts, context.threads)


def test_notes_and_caveats_are_told_once_and_inherited_first(tmp_path):
    """They stand in the report in that order; the whole of it can be written as JSON."""

    def act(context):
        for _ in range(2):
            context.events.note("9 names are unknown")
            context.events.caveat("seeded weights")
            context.events.caveat("random data")

    report = report_of(act, caveats=("random data",), tmp_path=tmp_path)

    assert ("9 names are unknown",) == report["notes"]
    assert ("random data", "seeded weights") == report["caveats"]
    assert ("it", "", 0) == tuple(
        json.loads(json.dumps(report))[k] for k in ("name", "message", "code")
    )


def test_progress_is_passed_on_with_the_name_of_the_call(tmp_path):
    """At once, not in the end."""
    told = []

    def act(context):
        context.events.progress(1, 64, "sample")
        assert [StepProgress(name="it", done=1, total=64, unit="sample")] == told

    assert "" == report_of(act, told=told.append, tmp_path=tmp_path)["message"]


@pytest.mark.parametrize(
    ("install", "module"),
    [
        ("trtbuild[torch]", "onnxscript.ir"),
        ("trtbuild[media]", "PIL"),
        ("trtbuild[rtx]", "tensorrt_rtx"),
        ("timm", "timm.models"),
    ],
)
def test_what_is_missing_says_what_brings_it(install, module):
    """An extra of trtbuild's, or the package of that name."""
    found = explain_import_error(ModuleNotFoundError("no", name=module))

    assert f"pip install '{install}'" == found.hint
    assert 4 == found.code
