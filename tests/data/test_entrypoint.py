"""Samples from user code: what is taken, and how its mistakes are told."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest

from tests.helpers.sources import source_of
from trtbuild.core.errors import MissingDependency, MissingFile, StepInputError, UsageError


@pytest.fixture
def source(tmp_path):
    """Write code.py and return a source that calls its `f`, with its files."""

    def make(code: str, **options):
        (tmp_path / "code.py").write_text("import numpy as np\n" + code)
        text = json.dumps({"kind": "python", "entrypoint": "code.py:f", **options})
        found = source_of(text)
        return found, found.find_files(tmp_path)

    return make


def samples(made):
    found, files = made
    return list(found.samples(files))


def refusal(made, error=StepInputError):
    with pytest.raises(error) as caught:
        samples(made)
    assert caught.value.hint
    return caught.value.message


@pytest.mark.parametrize(
    "body",
    [
        "yield {'x': [1, 2]}\n yield {'x': [3, 4]}",
        "return [{'x': np.array([1, 2])}, {'x': np.array([3, 4], '>i8')}]",
        "return iter([{'x': np.int64([1, 2])}, {'x': (3, 4)}])",
    ],
)
def test_a_callable_yields_or_returns_mappings(source, body):
    """A generator, a list, an iterator; whatever NumPy takes for an array."""
    first, second = samples(source(f"def f():\n {body}"))

    assert ("code.py:f[0]", "code.py:f[1]") == (first.name, second.name)
    assert ([1, 2], [3, 4]) == (first.arrays["x"].tolist(), second.arrays["x"].tolist())
    assert np.dtype(np.int64) == second.arrays["x"].dtype


def test_options_are_its_arguments(source):
    """They arrive by name, with their types."""
    made = source(
        "def f(*, scale, name, on):\n yield {'x': np.array([scale * len(name), on])}",
        options={"scale": 0.5, "name": "abc", "on": True},
    )

    assert [1.5, 1.0] == samples(made)[0].arrays["x"].tolist()


def test_a_refilled_array_is_not_shared(source):
    """A callable may use one buffer for all its samples."""
    made = source("def f():\n x = np.zeros(1)\n for x[0] in (1, 2):\n  yield {'x': x}")

    assert [[1], [2]] == [sample.arrays["x"].tolist() for sample in samples(made)]


def test_labels_are_no_input(source):
    """The label's key is taken out."""
    made = source("def f():\n yield {'x': [1], 'y': np.int64(3)}", labels="y")

    (sample,) = samples(made)

    assert (["x"], 3) == (list(sample.arrays), sample.label)


def test_count_stops_an_endless_callable(source):
    """No sample beyond it is made, and its `finally` runs."""
    made = source(
        "def f():\n"
        " try:\n"
        "  for n in range(3): yield {'x': n}\n"
        "  raise ValueError('one too many')\n"
        " finally: print('closed')",
        count=3,
    )

    assert [0, 1, 2] == [int(sample.arrays["x"]) for sample in samples(made)]


def test_closing_runs_what_the_callable_left_open(source, capsys):
    """Its `finally` has run when the last sample was taken."""
    samples(
        source("def f():\n try:\n  while True: yield {'x': 1}\n finally: print('closed')", count=1)
    )

    assert "closed\n" == capsys.readouterr().out


def test_an_error_on_closing_is_told(source):
    """What a `finally` raises is not lost."""
    made = source("def f():\n try: yield {'x': 1}\n finally: raise ValueError('late')", count=1)

    assert "code.py:4: ValueError: late" in refusal(made)


def test_the_input_is_preprocessed(source):
    """Its picture is cropped and scaled; other arrays stay."""
    made = source(
        "def f():\n yield {'image': np.full((4, 6, 3), 51, np.uint8), 'size': [4, 6]}",
        input="image",
        preprocess={"crop": [2, 2]},
    )

    (sample,) = samples(made)

    assert (3, 2, 2) == sample.arrays["image"].shape
    assert np.float32(0.2) == sample.arrays["image"][0, 0, 0]
    assert [4, 6] == sample.arrays["size"].tolist()


def test_a_module_is_found_by_its_name():
    """An installed module needs no path, and its file is pinned."""
    found = source_of('{"kind": "python", "entrypoint": "keyword:iskeyword"}')

    assert ["keyword.py"] == [path.name for path in found.find_files(None)]


def test_code_beside_it_is_pinned_too(source, tmp_path):
    """A module that it imports from its own folder is one of its files."""
    (tmp_path / "beside.py").write_text("")
    _, files = source("import beside\ndef f(): yield {}")

    assert ["code.py", "beside.py"] == [path.name for path in files]


@pytest.mark.parametrize(
    ("code", "options", "message"),
    [
        ("def f(): return []", {}, "code.py:f: yields no samples"),
        ("def f(): return None", {}, "code.py:f: returned NoneType, which holds no samples"),
        ("def f(): return {'x': 1}", {}, "code.py:f[0]: is str; a mapping of names to arrays is"),
        ("def f(): yield [1]", {}, "code.py:f[0]: is list; a mapping of names to arrays is needed"),
        ("def f(): yield {1: 2}", {}, "code.py:f[0]: is dict; a mapping of names to arrays is"),
        ("def f(): yield {}", {}, "code.py:f[0]: holds no array for the model"),
        ("def f(): yield {'y': 1}", {"labels": "y"}, "code.py:f[0]: holds no array for the model"),
        ("def f(): yield {'x': 1}", {"labels": "y"}, "code.py:f[0]: has no label `y`"),
        ("def f(): yield {'x': 1, 'y': 'cat'}", {"labels": "y"}, "code.py:f[0]: its label is <U3"),
        ("def f(): yield {'x': 'cat'}", {}, "code.py:f[0]: `x` is str and becomes an array of <U3"),
        ("def f(): yield {'x': None}", {}, "code.py:f[0]: `x` is NoneType and becomes an array of"),
        ("def f(): yield {'x': [[1], [1, 2]]}", {}, "code.py:f[0]: `x` is no array: setting an"),
        (
            "def f():\n yield {'x': 1}",
            {"count": 2},
            "code.py:f: yields 1 samples, and `count` asks for 2",
        ),
        (
            "def f(total): yield",
            {"options": {"totl": 3}},
            "code.py:f: cannot be called with these `options`: missing a required argument",
        ),
        (
            "def f(): yield {'x': np.zeros((2, 2), np.uint8)}",
            {"preprocess": {}},
            "code.py:f[0]: has no `input` to preprocess",
        ),
        (
            "def f(): yield {'input': np.zeros(3, np.uint8)}",
            {"preprocess": {}},
            "code.py:f[0]: an array of shape [3] and dtype uint8 is no picture",
        ),
    ],
)
def test_what_is_no_sample_is_refused(source, code, options, message):
    """The sample is named, with what it is and what is needed."""
    assert message in refusal(source(code, **options))


@pytest.mark.parametrize(
    ("code", "line", "told"),
    [
        ("def f():\n yield {'x': 1}\n raise ValueError('no more')", 4, "ValueError: no more"),
        ("def f():\n g()\ndef g():\n np.zeros(-1)", 5, "ValueError: negative dimensions"),
        ("def f():\n raise SystemExit(0)", 3, "SystemExit: 0"),
        ("class Own(BaseException): ...\ndef f():\n raise Own('x')", 4, "Own: x"),
    ],
)
def test_an_exception_is_told_with_its_line(source, caplog, code, line, told):
    """The innermost of the user's own lines; the traceback goes to the log."""
    made = source(code)
    with caplog.at_level(logging.ERROR):
        message = refusal(made)

    assert message.startswith(f"{made[1][0]}:{line}: {told}")
    assert "Traceback" not in message
    assert "Traceback" in caplog.text


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("raise RuntimeError('at import')", "RuntimeError: at import"),
        ("def f(:", "code.py:2: "),
        ("raise SystemExit(0)", "importing it fails: SystemExit: 0"),
    ],
)
def test_code_that_cannot_be_imported_is_told(source, code, told):
    """An error on import is the user's, too."""
    assert told in refusal(source(code), UsageError)


@pytest.mark.parametrize(
    ("packages", "hint"),
    [([], "pip install no_such_library"), (["no-such-lib"], "pip install no-such-lib")],
)
def test_a_library_that_is_missing_is_named(source, packages, hint):
    """Also one that is imported only when the callable runs; `packages` know its pip name."""
    found, files = source("def f():\n import no_such_library", packages=packages)

    with pytest.raises(MissingDependency, match="imports `no_such_library`") as caught:
        list(found.samples(files))

    assert hint == caught.value.hint


def test_an_interrupt_passes_through(source):
    """The interrupt key is no mistake of the user's code."""
    found, files = source("def f():\n raise KeyboardInterrupt")

    with pytest.raises(KeyboardInterrupt):
        list(found.samples(files))


def test_a_callable_that_is_not_there_is_named(source, tmp_path):
    """File, module or name: each is told."""
    found, files = source("def g(): yield")

    with pytest.raises(UsageError, match=r"code.py has no callable `f`"):
        list(found.samples(files))
    with pytest.raises(MissingFile, match=r"gone.py: no such file"):
        source_of('{"kind": "python", "entrypoint": "gone.py:f"}').find_files(tmp_path)
    with pytest.raises(MissingFile, match=r"no_such.module: no such module"):
        source_of('{"kind": "python", "entrypoint": "no_such.module:f"}').find_files(tmp_path)


def test_packages_are_facts(source):
    """What the user names, and what preprocessing needs."""
    plain, _ = source("def f(): yield", packages=["scikit-image"])
    pictures, _ = source("def f(): yield", preprocess={})

    assert ("numpy", "scikit-image") == plain.fact_names()
    assert ("numpy", "pillow") == pictures.fact_names()
