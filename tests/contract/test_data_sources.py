"""What every kind of data source promises."""

from __future__ import annotations

import shutil

import pytest

from tests.helpers.sources import ANY, KINDS, capture, pinned, plain
from trtbuild.core.errors import CorruptObject, MissingFile, TrtbuildError
from trtbuild.core.kinds import load_kinds, name_kind
from trtbuild.core.watch import Watch
from trtbuild.data import AnyDataSource
from trtbuild.data.survey import digest_of_sample

kinds = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
read = pytest.mark.parametrize("make", [KINDS[name] for name in KINDS if name != "random"])
stored = {"audio", "coco", "datasets", "images", "preprocessed", "python", "video", "yolo"}
of_files = pytest.mark.parametrize(
    "make", [KINDS[name] for name in KINDS if name not in stored | {"random"}]
)
of_stored = pytest.mark.parametrize("make", [KINDS[name] for name in sorted(stored)])


def test_every_kind_has_a_sample(tmp_path):
    """A new source is held to the contract as soon as it is in the union."""
    known = set(map(name_kind, load_kinds(AnyDataSource)))

    assert known == {make(tmp_path).kind for make in KINDS.values()}


@kinds
def test_samples_are_the_same_every_time(make, tmp_path):
    """Reading twice, with any number of threads, gives the same samples in the same order."""
    source = make(tmp_path)
    files = source.find_files(tmp_path)
    once = plain(source.samples(files))

    assert 4 == len(once)
    assert once == plain(source.samples(files, threads=4))
    assert once == plain(source.samples(files, threads=0))


@kinds
def test_what_is_read_later_is_what_was_captured(make, tmp_path):
    """A step that reads captured data gets the samples of the manifest, in its order."""
    source = make(tmp_path)
    data, context = capture(source, tmp_path, tmp_path / "out")
    samples = list(data.samples(context))
    manifest = data.read_manifest(context)

    assert plain(source.samples(source.find_files(tmp_path))) == plain(samples)
    assert manifest.samples == tuple(digest_of_sample(sample) for sample in samples)
    assert 4 == manifest.count
    assert sorted(samples[0].arrays) == [spec.name for spec in manifest.tensors]
    assert [each.label for each in samples if manifest.labelled] == (data.labels(context) or [])


@kinds
def test_captures_are_equal_byte_for_byte(make, tmp_path):
    """The same data captured from another folder, with other threads, gives the same bytes."""
    source = make(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    make(elsewhere)
    capture(source, tmp_path, tmp_path / "one", threads=1)
    capture(source, elsewhere, tmp_path / "two", threads=3)

    for name in ("manifest.json", "samples.npz"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@kinds
def test_count_takes_so_many(make, tmp_path):
    """`count` is kept exactly."""
    source = make(tmp_path).model_copy(update={"count": 2})

    assert 2 == len(list(source.samples(source.find_files(tmp_path))))


@read
def test_too_few_samples_are_an_error(make, tmp_path):
    """A count larger than what is there is an error that names both numbers."""
    source = make(tmp_path).model_copy(update={"count": 5})

    with pytest.raises(TrtbuildError, match=r"4 .*and `count` asks for 5"):
        list(source.samples(source.find_files(tmp_path)))


@read
def test_missing_files_are_told_at_once(make, tmp_path):
    """Files that are not there are an error when the plan is made."""
    source = make(tmp_path)
    for path in list(tmp_path.iterdir()):
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    with pytest.raises(MissingFile, match=r"no such f"):
        source.find_files(tmp_path)


@read
def test_a_file_that_changed_since_planning_is_refused(make, tmp_path):
    """What is captured is what was pinned, or nothing."""
    source = make(tmp_path)
    files = pinned(source, tmp_path)
    wrong = (files[0].model_copy(update={"digest": "sha256:00"}), *files[1:])

    with pytest.raises(CorruptObject, match="has changed since this run was planned"):
        capture(source, tmp_path, tmp_path / "out", files=wrong)


@of_files
def test_a_file_that_changed_since_its_capture_is_refused(make, tmp_path):
    """A file torn between two steps is called changed, and not corrupt."""
    source = make(tmp_path)
    data, context = capture(source, tmp_path, tmp_path / "out")
    source.find_files(tmp_path)[0].write_bytes(b"torn")

    with pytest.raises(CorruptObject, match="has changed since this run was planned"):
        list(data.samples(context))


@kinds
def test_only_what_is_pinned_is_read(make, tmp_path):
    """Every file that samples come from is an ingredient; code of the user's is watched anyway."""
    source = make(tmp_path)
    files = source.find_files(tmp_path)
    with Watch() as watch:
        list(source.samples(files))

    opened = {path for path in watch.looks if path.startswith(str(tmp_path))} - watch.folders
    assert source.captured or {str(path) for path in files} >= opened


@of_stored
def test_what_is_decoded_is_decoded_once(make, tmp_path):
    """A step behind the capture reads no file, and so none that changed; the samples are equal."""
    source = make(tmp_path)
    once = plain(source.samples(source.find_files(tmp_path)))
    data, context = capture(source, tmp_path, tmp_path / "out")
    for path in source.find_files(tmp_path):
        path.write_bytes(b"torn")

    assert once == plain(data.samples(context))


@kinds
def test_a_source_survives_the_round_trip(make, tmp_path):
    """A source read from its own JSON is equal."""
    source = make(tmp_path)

    assert source == ANY.validate_json(ANY.dump_json(source))


@kinds
def test_facts_are_named_without_looking(make, tmp_path):
    """A source names packages and expects a number of samples (0: not known)."""
    source = make(tmp_path)

    known = {"numpy", "pillow", "av", "tokenizers", "soundfile", "pyarrow"}
    assert known >= set(source.fact_names())
    assert source.expected(source.find_files(tmp_path)) in {0, 4}
