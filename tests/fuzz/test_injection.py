"""Names that begin lines, command a build service, or end what they stand in: in every output."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.helpers.hostile import COMMANDS, EFFORT, FORGED, FORGED_LINES, typed
from tests.helpers.projects import edit, small_project
from trtbuild import api
from trtbuild.cli.app import GROUPS, VERBS

OURS = re.compile(r"::(error|warning) file=[^:,]*(,(line|col|title)=[^:,]*)*::.*")
FILES = [name.replace("/", "\u2215") for name in FORGED]
"""What a file may be called."""
PLACES = {"small": "build/small", "engine": "build/small/rtx/model.engine", "out": "out.json",
          "ranges": "build/small/ranges.json", "model": "model.onnx", "data": "calib.npz",
          "limits": "limits.json", "command": "command.json"}  # fmt: skip


def forms(words, *formats):
    return [[*words, "--format", each] for each in formats]


BRIEFLY = ["--iterations", "16", "--warmup", "0", "--no-cold", "--executor", "inline", "-q"]
TYPED = [
    ["apply", "-v", "{recipe}"], ["apply", "-q", "{recipe}"],
    ["apply", "--log-json", "--junit", "{out}", "{recipe}"],
    *forms(["validate", "{recipe}"], "text", "json", "github"),
    *forms(["check", "{recipe}"], "text", "json", "github"),
    *forms(["check", "{model}"], "text", "json", "github"),
    *forms(["plan", "{recipe}"], "text", "json", "markdown"),
    ["why", "{recipe}"], ["why", "{recipe}", "quantize"],
    ["lock", "{recipe}"], ["lock", "--check", "{recipe}"],
    *forms(["diff", "{recipe}", "{other}"], "text", "json", "markdown"),
    *forms(["inspect", "{engine}"], "text", "json"),
    ["run", "{recipe}", "--input", "{data}", "--on", "cpu"],
    ["script", "{recipe}", "--target", "rtx"],
    *forms(["ranges", "show", "{recipe}"], "text", "json", "markdown"),
    *forms(["ranges", "show", "{limits}"], "text", "json", "markdown"),
    *forms(["ranges", "diff", "{limits}", "{ranges}"], "text", "json", "markdown"),
    ["ranges", "export", "{limits}", "--format", "json"],
    ["ranges", "import", "{ranges}", "--recipe", "{recipe}", "-o", "{out}"],
    ["ranges", "import", "{limits}", "--model", "{model}", "-o", "{out}"],
    ["verify", "{recipe}"], ["sensitivity", "{recipe}", "--samples", "2"],
    ["tune", "{recipe}", "--budget", "0s"], ["refit", "{recipe}", "--weights", "{model}"],
    *forms(["bench", "{recipe}", *BRIEFLY], "text", "json"),
    ["bench", "{recipe}", *BRIEFLY, "--against", "last"],
    ["bench", "{model}", *BRIEFLY, "--batch", "1"],
    ["bench", "{model}", *BRIEFLY, "--batch", "1", "--rate", "100", "--seconds", "0.05"],
    ["compare", "{model}", "{model}", "--data", "{data}", "--metric", "cosine"],
    ["store", "ls"], ["store", "du"], ["store", "verify"], ["store", "gc", "--dry-run"],
    ["store", "push"], ["store", "pull"], ["store", "gc", "--remote", "--dry-run"],
    ["status"], ["doctor"], ["kinds"], ["schema"], ["init", "{model}", "--output", "-"],
    *forms(["data", "preview", "{recipe}", "--without-model"], "text", "json"),
    ["package", "{recipe}", "--format", "triton", "--to", "packed"],
    ["package", "{recipe}", "--format", "bundle", "--to", "packed.zip"],
]  # fmt: skip
WRONG = [
    *forms(["validate", "{broken}"], "text", "json", "github"),
    ["plan", "{broken}"], ["apply", "{broken}", "{recipe}"], ["check", "{broken}"],
    ["plan", "{name}"], ["inspect", "{name}"], ["ranges", "show", "{name}"], ["lock", "{name}"],
    ["why", "{recipe}", "{name}"], ["script", "{recipe}", "--target", "{name}"],
    ["plan", "{recipe}", "--target", "{name}"], ["diff", "--git", "{name}"], ["kinds", "{name}"],
    ["diff", "{recipe}", "{name}"], ["apply", "--plan", "{name}"], ["{name}"],
    ["apply", "--select", "{name}", "{recipe}"], ["apply", "--executor", "{name}", "{recipe}"],
    ["apply", "--select", "state:modified", "--base", "{name}", "{recipe}"], ["-{name}"],
    ["plan", "{recipe}", "{name}"], ["plan", "--format", "{name}"], ["plan", "--{name}"],
    ["ranges", "{name}"], ["ranges", "diff", "{limits}", "{ranges}", "--tolerance", "{name}"],
    ["ranges", "export", "{limits}", "--format", "tensorrt", "--trt-version", "{name}"],
    ["ranges", "export", "{limits}", "--format", "tensorrt", "--algorithm", "{name}"],
    ["run", "{recipe}", "--input", "{name}"], ["run", "{recipe}", "--target", "{name}"],
    *forms(["ranges", "export", "{limits}", "--trt-version", "8.6.1"], "text", "tensorrt"),
    *forms(["ranges", "export", "{command}", "--trt-version", "8.6.1"], "text", "tensorrt"),
    ["check", "{limits}"], ["inspect", "{limits}"], ["ranges", "show", "{model}"],
    ["bench", "{name}"], ["bench", "{recipe}", *BRIEFLY, "--only", "{name}"],
    ["bench", "{recipe}", "--data", "{name}"], ["bench", "{model}", "--shape", "{name}"],
    ["init", "{name}"], ["init", "{model}", "--data", "{name}", "-o", "-"],
    ["init", "--from", "trtexec", "trtexec --onnx={name} --int8", "-o", "-"],
    ["init", "--from", "{name}", "x"],
    ["serve", "{name}"], ["serve", "{recipe}", "--port", "{name}"],
    ["refit", "{recipe}", "--weights", "{name}"], ["refit", "{name}", "--weights", "{model}"],
    ["store", "push", "{name}"], ["store", "pull", "{name}"],
]  # fmt: skip


def rename(folder):
    """Give every input, output, tensor and node of the small project a name that does harm."""
    model = onnx.load(folder / "model.onnx")
    names = dict.fromkeys(name for node in model.graph.node for name in node.output)
    names = ["input", *names]
    new = {name: f"{FORGED[i % len(FORGED)]}{name}" for i, name in enumerate(names)}
    for number, node in enumerate(model.graph.node):
        node.name = f"{FORGED[number % len(FORGED)]}{number}"
        for each in (node.input, node.output):
            each[:] = [new.get(name, name) for name in each]
    for value in (*model.graph.input, *model.graph.output):
        value.name = new[value.name]
    onnx.save(model, folder / "model.onnx")
    for file in ("calib", "eval"):
        arrays = dict(np.load(folder / f"{file}.npz"))
        arrays[new["input"]] = arrays.pop("input")
        np.savez(folder / f"{file}.npz", **arrays)
    (folder / "limits.json").write_text(json.dumps(dict.fromkeys(new.values(), 2.0)))
    (folder / "command.json").write_text(json.dumps({"::error::forged": 2.0}))
    edit(folder / "recipe.yaml", "- input:", f"- {json.dumps(new['input'])}:")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A project whose names do harm, in a folder of such a name, applied; its paths by word."""
    place = tmp_path_factory.mktemp("injection")
    folder = place / FILES[0]
    text = small_project(folder)
    rename(folder)
    text = text.read_text()
    for name in FILES:
        (folder / f"{name}.yaml").write_text(text)
        (folder / f"{name}.other.yaml").write_text(text.replace("minmax", "mse"))
        (folder / f"{name}.broken.yaml").write_text(text.replace("minmax", json.dumps(name)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRTBUILD_STORE", str(place / "store"))
        patch.chdir(folder)
        # In this process, whose output is TensorRT's too.
        api.apply(f"{FILES[0]}.yaml", build_dir="build", executor="inline")
        yield folder


@pytest.fixture(autouse=True)
def _store(hostile, monkeypatch):
    monkeypatch.setenv("TRTBUILD_STORE", str(hostile.parent / "store"))
    monkeypatch.setenv("TRTBUILD_STORE_REMOTE", str(hostile.parent / "remote"))


def chosen(commands):
    """Choose a name for each command, in turn; with more effort, every name."""
    return [
        pytest.param(words, FORGED[name % len(FORGED)], FILES[name % len(FILES)], id=str(name))
        for turn in range(min(EFFORT, len(FORGED)))
        for name, words in enumerate(commands, turn)
    ]


def filled(words, name, file):
    known = {**PLACES, "name": name, "recipe": f"{file}.yaml", "other": f"{file}.other.yaml",
             "broken": f"{file}.broken.yaml"}  # fmt: skip
    return [re.sub(r"\{(\w+)\}", lambda found: known[found[1]], word) for word in words]


@pytest.mark.parametrize(("words", "name", "file"), chosen(TYPED))
def test_a_name_shows_and_does_nothing(hostile, words, name, file):
    """In no form of any verb's output; `typed` looks for what it would do."""
    code, said = typed(*filled(words, name, file))

    assert code in {0, 1} or (4 == code and "--check" in words), said
    if words[-1] == "json":
        json.loads(said)


@pytest.mark.parametrize(("words", "name", "file"), chosen(WRONG))
def test_a_name_that_is_wrong_shows_and_does_nothing(hostile, words, name, file):
    """Where it is what a message is about."""
    assert {1, 2, 3, 4, 5} >= {typed(*filled(words, name, file))[0]}


@pytest.mark.parametrize("file", FILES)
def test_github_is_given_our_commands_alone(hostile, file):
    """A line a problem; a name adds neither a line nor an option to it."""
    for words in (["validate", "{broken}"], ["check", "{recipe}"], ["check", "{model}"]):
        _, said = typed(*filled(words, "", file), "--format", "github")

        assert said or words[0] == "check"
        for line in said.splitlines():
            assert OURS.fullmatch(line), line


def test_every_verb_is_typed_here():
    """Whoever adds one adds it above; what would go on for ever stands among the wrong ones."""
    typed = {words[0] for words in TYPED}

    assert {*VERBS, *GROUPS} == typed | {"serve"}
    assert "serve" in {words[0] for words in WRONG}


def test_a_report_says_names_and_obeys_none(hostile):
    """Neither as Markdown, nor as a page, nor in a log of the build that shows it."""
    page = Path("build/small/report.html").read_text()
    text = Path("build/small/report.md").read_text()

    assert "forged" in page
    assert "forged" in text
    assert set() == {*re.findall(r"<(script|a href=.http|img|iframe)", page)}
    assert FORGED_LINES.search(text) is None
    assert COMMANDS.search(text) is None
