"""What every source of a model does; a new kind is added to SAMPLES."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import TypeAdapter

from trtbuild.core.errors import MissingFile, TrtbuildError
from trtbuild.core.kinds import load_kinds, name_kind
from trtbuild.sources import ModelSource
from trtbuild.sources.sizes import Sizes

MODEL = TypeAdapter(ModelSource)
SAMPLES = {
    "onnx": '{"kind": "onnx", "path": "net.onnx"}',
    "torch": '{"kind": "torch", "entrypoint": "net.py:make", "inputs": {"x": {"shape": ["n", 3]}}}',
    "huggingface": '{"kind": "huggingface", "path": "bert"}',
    "ultralytics": '{"kind": "ultralytics", "path": "best.pt"}',
}
HEAVY = {"torch", "transformers", "onnx", "numpy", "ultralytics"}


def test_every_kind_is_held_to_it():
    """The union has no other."""
    assert {name_kind(kind) for kind in load_kinds(ModelSource)} == SAMPLES.keys()


@pytest.mark.parametrize("text", SAMPLES.values(), ids=SAMPLES)
class TestSource:
    def test_it_survives_the_round_trip(self, text):
        """JSON to object to JSON to the same object."""
        source = MODEL.validate_json(text)

        assert source == MODEL.validate_json(source.model_dump_json())

    def test_it_says_where_it_is_from(self, text):
        """By an option of its own, in the words of a report."""
        source = MODEL.validate_json(text)

        assert source.place == getattr(source, source.place_option)
        assert source.describe().startswith(f"{source.kind} {source.place}")

    def test_what_is_not_there_is_one_error(self, text, tmp_path):
        """When it is looked for; its inputs are then none, or the recipe's."""
        source = MODEL.validate_json(text)
        with pytest.raises(MissingFile):
            source.find_files(tmp_path)

        assert {"x"} >= {spec.name for spec in source.find_inputs(tmp_path)}

    def test_it_rests_on_libraries_with_versions(self, text):
        """Another version may make another model."""
        source = MODEL.validate_json(text)

        assert "onnx" in source.libraries()
        assert len(source.libraries()) == len(set(source.libraries()))

    def test_what_cannot_be_brought_in_is_an_error_of_ours(self, text, tmp_path):
        """Whichever library is missing, or file."""
        source = MODEL.validate_json(text)
        with pytest.raises((TrtbuildError, ModuleNotFoundError)):
            source.bring_in(tmp_path, None, Sizes())


def test_a_plan_loads_nothing_heavy(tmp_path):
    """For any of them: files, inputs and sizes are told without the libraries that export."""
    code = f"""
import sys; from pathlib import Path; from pydantic import TypeAdapter
from trtbuild.core.errors import TrtbuildError
from trtbuild.sources import ModelSource
for text in {list(SAMPLES.values())!r}:
    source = TypeAdapter(ModelSource).validate_json(text)
    source.find_inputs(Path("."))
    try:
        source.find_files(Path("."))
    except TrtbuildError:
        print(source.kind)
print(*{HEAVY!r}.intersection(sys.modules))
"""
    said = subprocess.check_output([sys.executable, "-c", code], text=True, cwd=tmp_path)

    assert [*SAMPLES, ""] == said.split("\n")[:-1]
