"""Every verb, with anything in the place of a recipe, a table, a model, an engine or a lock."""

from __future__ import annotations

import copy
import json
import os
import re
from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from tests.helpers.hostile import ESCAPES, harmed, looked, npy, npz, typed
from tests.helpers.projects import RECIPE, small_project
from tests.helpers.recipes import GOOD

READING = [
    ["validate"], ["check"], ["plan"], ["why"], ["lock"], ["lock", "--check"], ["diff", "."],
    ["inspect"], ["script", "--target", "rtx"], ["run", "--input", "calib.npz"],
    ["ranges", "show"], ["ranges", "diff", "."], ["ranges", "export", "--format", "text"],
    ["ranges", "import", "--model", "model.onnx", "-o", "out.json"],
    ["init", "--output", "-"], ["init", "--output", "-", "--from", "trtexec"],
    ["apply", "-q", "--plan"], ["apply", "-q"], ["apply", "-q", "--locked"],
]  # fmt: skip
BY_RECIPE = [
    ["plan"], ["why"], ["lock"], ["lock", "--check"], ["diff", "recipe.yaml"],
    ["script", "--target", "rtx"], ["ranges", "show"],
]  # fmt: skip
ODD = [
    None, True, 0, -1, 2**63, 10**400, 1e308, 5e-324, "", "*", "[a-", "../..", "/dev/zero", "a\nb",
    ESCAPES, "a\0b", "x" * 3000, "http://x/y", "file:///etc/passwd", "https://[", "1e999", "nan",
    "9" * 400 + "GiB", "1" * 300 + "%", [], {}, [None], {"kind": "images"}, [3, 1], [1e308, -1e308],
    "!!python/object:os.system", "os:system", "{x.__class__}", "%s%n", "~", "$HOME", "-", "\u2028",
]  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project that is not built; the current directory is its own."""
    recipe = small_project(tmp_path_factory.mktemp("fuzz") / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(recipe.parent)
        yield recipe


@pytest.fixture(autouse=True)
def _store(project, monkeypatch):
    monkeypatch.setenv("TRTBUILD_STORE", str(project.parent.parent / "store"))


def every(path):
    """Type every verb with a path, which none of them can use."""
    return {" ".join(words): typed(*(path if word == "." else word for word in words), path)[0]
            for words in READING}  # fmt: skip


def fifo(path):
    os.mkfifo(path)


def sparse(path):
    with path.open("wb") as file:
        file.truncate(1 << 30)


PLACES = {
    "directory": lambda path: path.mkdir(),
    "fifo": fifo,
    "loop": lambda path: path.symlink_to(path.name),
    "device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_file_of_the_kind_is_refused_by_every_verb(project, place):
    """At once: nothing is waited for, and nothing endless is read."""
    for suffix in {"fifo": ("yaml", "lock"), "device": ("yaml", "json")}.get(place, ("yaml",)):
        path = Path(f"{place}.{suffix}")
        PLACES[place](path)
        codes = every(path)

        assert {2, 3, 4, 5} >= {code for verb, code in codes.items() if verb != "inspect"}


@pytest.mark.parametrize("name", ["a\0b.yaml", f"{ESCAPES}.yaml", "\udcff"])
def test_a_name_that_no_file_has_is_refused_by_every_verb(project, name):
    """And told so that it shows and does nothing."""
    assert {2, 3, 4, 5} >= set(every(name).values())


@pytest.mark.parametrize(
    "text",
    [
        b"version: 1\0name",
        b"version: 1\nname: \xe9",
        RECIPE.encode("utf-16"),
        b"",
        ESCAPES.encode(),
    ],
    ids=["nul", "latin", "utf-16", "empty", "escapes"],
)
def test_what_is_no_recipe_is_told(project, text):
    """In each form of the problems."""
    Path("odd.yaml").write_bytes(text)

    for form in ("text", "json", "github"):
        assert 2 == typed("validate", "odd.yaml", "--format", form)[0]


def test_a_recipe_in_a_path_that_is_no_text_is_refused(project):
    """What is noted of it is JSON, which holds text alone."""
    path = Path(os.fsdecode(b"\xff.yaml"))
    path.write_text(RECIPE)

    code, said = typed("plan", path)

    assert 4 == code
    assert r"\udcff.yaml: its path is not UTF-8" in said


def test_windows_line_ends_change_nothing(project):
    """A recipe, a cache and a list of ranges."""
    Path("crlf.yaml").write_bytes(RECIPE.replace("\n", "\r\n").encode())
    Path("crlf.txt").write_bytes(b"TRT-8601-EntropyCalibration2\r\ninput: 3caa54fc\r\n")

    assert 0 == typed("validate", "crlf.yaml")[0]
    assert 0 == typed("ranges", "show", "crlf.txt")[0]


def places_of(tree, path=()):
    """Yield the path of every value in a tree."""
    if path:
        yield path
    if isinstance(tree, dict | list):
        for key in tree if isinstance(tree, dict) else range(len(tree)):
            yield from places_of(tree[key], (*path, key))


@st.composite
def spoilt(draw):
    """Draw a recipe in which some values are odd, gone, doubled, or from elsewhere."""
    tree = yaml.safe_load(draw(st.sampled_from([RECIPE, RECIPE, GOOD])))
    for _ in range(draw(st.integers(1, 2))):
        *path, last = draw(st.sampled_from(list(places_of(tree))))
        parent = tree
        for key in path:
            parent = parent[key]
        like = [each for each in ODD if type(each) is type(parent[last])]
        match draw(st.integers(0, 3)):
            case 0:
                parent[last] = copy.deepcopy(draw(st.sampled_from(ODD)))
            case 1:
                parent[last] = copy.deepcopy(draw(st.sampled_from(like or ODD)))
            case 2 if isinstance(parent, dict):
                parent[draw(st.sampled_from([e for e in ODD if isinstance(e, str)]))] = parent.pop(
                    last
                )
            case _:
                del parent[last]
    return tree


@looked(20)
@given(tree=spoilt(), form=st.sampled_from(["text", "json", "github"]))
def test_a_spoilt_recipe_is_refused_or_planned(project, tree, form):
    """Each verb that reads recipes says what is wrong, or does what is asked."""
    path = Path("spoilt.yaml")
    path.write_text(yaml.dump(tree, allow_unicode=True), encoding="utf-8")

    code, _ = typed("validate", "--format", form, path)

    for words in BY_RECIPE if code == 0 else ():
        typed(*words, path)


@looked(20)
@given(data=st.data())
def test_a_harmed_recipe_is_refused_or_read(project, data):
    """Bytes that are wrong anywhere."""
    Path("harmed.yaml").write_bytes(data.draw(harmed(GOOD.encode())))

    typed("validate", "harmed.yaml")


TABLES = {
    "deep": b'{"a":' * 50_000 + b"1",
    "huge": b'{"a": 1e999}',
    "long": b'{"a": ' + b"9" * 100_000 + b"}",
    "half": b'{"a\\ud800": 1.0}',
    "escapes": json.dumps({ESCAPES: 1.0, "": 2.0, "a\nb": [0, 1]}).encode(),
    "cache": f"TRT-8601-EntropyCalibration2\n{ESCAPES}: 3caa54fc\n".encode(),
    "text": f"{ESCAPES}: 1.0\n".encode(),
    "shape": b'{"tensors": {"a": {"low": -1e308, "high": 1e308, "origin": "manual"}}}',
    "samples": b'{"tensors": {}, "samples": ' + b"9" * 5000 + b"}",
    "version": b"TRT-9999999-X\na: 3c010a14\n",
}


@pytest.mark.parametrize("table", TABLES)
def test_an_odd_table_is_refused_or_shown(project, table):
    """By each verb that takes tables, in each form."""
    path = Path(f"{table}.ranges")
    path.write_bytes(TABLES[table])

    for form in ("text", "json", "markdown"):
        typed("ranges", "show", path, "--format", form)
        typed("ranges", "diff", path, path, "--format", form)
    for form in ("tensorrt", "text", "json"):
        typed("ranges", "export", path, "--format", form, "--trt-version", "8.6.1", "-o", "o.txt")
    typed("ranges", "import", path, "--model", "model.onnx", "-o", "o.json")


def of_nodes(*nodes, weights=(), name="input"):
    """An ONNX model that nobody has checked."""
    graph = helper.make_graph(
        list(nodes), "g",
        [helper.make_tensor_value_info(name, 1, ["batch", 3, 8, 8])],
        [helper.make_tensor_value_info("y", 1, ["a", "b", "c", "d"])],
        list(weights),
    )  # fmt: skip
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])


def added(**tensor):
    """A model that adds a tensor as somebody declares it."""
    entries = tensor.pop("external", {})
    made = TensorProto(name="w", **{"data_type": 1, "dims": [1], **tensor})
    for key, value in entries.items():
        made.data_location = TensorProto.EXTERNAL
        made.external_data.add(key=key, value=value)
    return of_nodes(helper.make_node("Add", ["input", "w"], ["y"]), weights=[made])


def nested(depth):
    """Subgraphs in subgraphs, written by hand: the library would refuse to."""

    def field(number, data):
        size, length = len(data), b""
        while size > 127:
            length += bytes([size & 127 | 128])
            size >>= 7
        return bytes([number << 3 | 2]) + length + bytes([size]) + data

    data = b""
    for _ in range(depth):
        data = field(1, field(5, field(6, data)))
    return b"\x08\x08" + field(7, data)


MODELS = {
    "garbage": b"\xff" * 100,
    "nested": nested(3000),
    "no data": added(dims=[2**40, 2**20]),
    "overflow": added(dims=[2**32, 2**32], raw_data=b""),
    "negative": added(dims=[-1, 2**62], raw_data=b"1234"),
    "unknown type": added(data_type=99, raw_data=b"1234"),
    "no text": added(data_type=8, string_data=[b"\xff\xfe"]),
    "cycle": of_nodes(helper.make_node("Add", ["input", "y"], ["y"])),
    "no operator": of_nodes(helper.make_node("", ["input"], ["y"])),
    "escapes": of_nodes(
        helper.make_node("Conv", [ESCAPES, "w"], ["y"], name=f"n\n{ESCAPES}"),
        weights=[numpy_helper.from_array(np.ones((4, 3, 3, 3), np.float32), "w")],
        name=ESCAPES,
    ),
    "odd operator": of_nodes(helper.make_node(ESCAPES, ["input"], ["y"], domain=ESCAPES)),
    **{
        f"data in {place[:12]!r}": added(external={"location": place})
        for place in ("../x", "/etc/passwd", "a/../../x", "", ".", "\0", "link", "fifo", "x" * 5000)
    },
    **{
        f"data at {offset[:9]}, {length[:9]}": added(
            external={"location": "calib.npz", "offset": offset, "length": length}
        )
        for offset, length in (("-1", "4"), ("9" * 5000, "4"), ("x", "4"), ("0", str(2**63)))
    },
}


@pytest.mark.parametrize("name", MODELS)
def test_an_odd_model_is_refused_or_checked(project, name):
    """Data outside the model's folder is not read, by `..`, an absolute path or a link."""
    folder = project.parent
    for made, make in (("link", lambda p: p.symlink_to("/etc/passwd")), ("fifo", fifo)):
        if not os.path.lexists(folder / made):
            make(folder / made)
    model = MODELS[name]
    path = folder / "odd.onnx"
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    recipe = folder / "odd.yaml"
    recipe.write_text(RECIPE.replace("model.onnx", "odd.onnx"))
    Path("r.json").write_text('{"input": 1.0}')

    code, said = typed("check", path)
    typed("plan", recipe)
    typed("ranges", "import", "r.json", "--model", path, "-o", "o.json")

    if name.startswith("data"):
        assert code in {3, 4}
        assert re.search("outside the model's folder|no such file|beyond the|too long", said)


def test_odd_names_are_told_through_an_apply(project):
    """From the model, through a step and its log, to the terminal."""
    model = of_nodes(helper.make_node(ESCAPES, ["input"], ["y"], name=f"n\n::error::{ESCAPES}"))
    onnx.save(model, "names.onnx")
    Path("names.yaml").write_text(RECIPE.replace("model.onnx", "names.onnx"))

    code, said = typed("apply", "names.yaml")

    assert (3, True) == (code, r"a\u001b]0;owned\u0007" in said), said


def test_a_large_sparse_table_is_refused_by_its_size(project):
    """A gigabyte of nothing takes no disk."""
    sparse(Path("sparse.json"))

    assert 4 == typed("ranges", "show", "sparse.json")[0]


INPUTS = {
    "empty": b"",
    "cut": b"PK\x03\x04",
    "none": b"PK\x05\x06" + bytes(18),
    "claims": npz({"input.npy": npy((10**12, 3, 8, 8))}),
    "negative": npz({"input.npy": npy((-1, 3, 8, 8))}),
    "text": npz({"input.npy": npy((2,), "<U9", bytes(72))}),
    "objects": npz({"input.npy": npy((1,), "|O", b"cos\nsystem\n")}),
    "up": npz({"../../input.npy": npy((2, 3, 8, 8), body=bytes(1536))}),
    "escapes": npz({f"{ESCAPES}.npy": npy((2, 3, 8, 8), body=bytes(1536))}),
    "other": npz({"input.txt": b"x"}),
}


@pytest.mark.parametrize("name", INPUTS)
def test_odd_arrays_are_refused(project, name):
    """To run a model on, and to calibrate with."""
    Path("odd.npz").write_bytes(INPUTS[name])
    Path("build/small").mkdir(parents=True, exist_ok=True)
    Path("build/small/model.int8.onnx").write_bytes(Path("model.onnx").read_bytes())

    assert {2, 3} >= {typed("run", "recipe.yaml", "--input", "odd.npz")[0]}
    assert not Path("../../input.npy").exists()
