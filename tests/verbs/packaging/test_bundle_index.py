"""What a bundle says is in it."""

from __future__ import annotations

from trtbuild.core.digest import digest_of_bytes
from trtbuild.verbs.packaging.bundle_index import make_index

ENGINE = ("a", "tensorrt10", "10.14.1.48", ("8.9",))


def test_it_says_what_runs_where(place):
    """Engines by capability and version, the model, inputs and classes; and survives JSON."""
    names = {"a": "engines/a/model.engine", "": "model/m.onnx"}
    index = make_index(place(ENGINE), names, ("cat", "dog"), None)

    (engine,) = index.engines
    assert (("8.9",), "10.14.1.48") == (engine.compute_capabilities, engine.tensorrt)
    assert ("engines/a/model.engine", "model/m.onnx") == (engine.file, index.model.file)
    assert (["x"], ("cat", "dog")) == ([each.name for each in index.inputs], index.classes)
    assert index == type(index).model_validate_json(index.model_dump_json())


def test_it_says_how_an_engine_is_run(place):
    """As the target does; of what is kept of the kernels only the name, which is no place here."""
    how = {"specialize": "eager", "cache": "/home/me/kernels"}
    build = place(("a", "tensorrt_rtx", "1.7.1.116", ("8.9",)), runtime=how)
    index = make_index(build, {"a": "e", "": "model/m.onnx"}, (), None)

    (engine,) = index.engines
    assert (True, "eager", "kernels") == (
        engine.runtime.graphs,
        engine.runtime.specialize,
        engine.runtime.cache,
    )
    assert index == type(index).model_validate_json(index.model_dump_json())


def test_weights_beside_the_model_are_told_with_their_digest(place, tmp_path):
    """Or others could lie there without a word."""
    (tmp_path / "w.bin").write_bytes(b"weights")
    index = make_index(place(ENGINE), {"a": "e", "": "model/m.onnx"}, (), tmp_path / "w.bin")

    assert ("model/w.bin", digest_of_bytes(b"weights")) == (
        index.model.weights,
        index.model.weights_digest,
    )
