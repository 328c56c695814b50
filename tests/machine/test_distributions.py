"""A module's distribution, whatever it is called."""

from __future__ import annotations

import shutil
import sys

import pytest

from tests.helpers.projects import small_project
from trtbuild.core.watch import Watch
from trtbuild.machine.facts import InstalledPackages, list_doubts
from trtbuild.recipe.load import load_recipe
from trtbuild.run.inline import Inline
from trtbuild.store.store import Store
from trtbuild.verbs.plan import plan_recipe

LISTS = {
    "onnxruntime": "onnxruntime/__init__.py",
    "onnxruntime_extensions": "onnxruntime_extensions/__init__.py",
    "onnxruntime_genai": "onnxruntime_genai/onnxruntime/__init__.py",
    "onnxruntime_gpu": "onnxruntime/__init__.py",
    "tensorrt": "",
    "tensorrt_cu12": "tensorrt/__init__.py",
    "tensorrt_cu13": "tensorrt/__init__.py",
    "tensorrt_cu12_bindings": "tensorrt_bindings/__init__.py",
    "tensorrt_rtx": "tensorrt_rtx/__init__.py",
    "our_own_build": "onnxruntime/__init__.py",
}


@pytest.fixture
def install(tmp_path):
    """Install distributions, as far as their metadata and folders go; return what is there."""

    def install(*folders, at="site-packages"):
        place = tmp_path / at
        for folder in folders:
            name, _, version = folder.partition(" ")
            metadata = place / f"{name}-{version}.dist-info"
            metadata.mkdir(parents=True)
            (metadata / "RECORD").write_text(f"{name}.libs/a.so,,\n{LISTS[name]},sha256=x,1\n")
            if LISTS[name]:
                (place / LISTS[name]).parent.mkdir(parents=True, exist_ok=True)
        return InstalledPackages([str(tmp_path / "first"), str(tmp_path / "site-packages")])

    return install


def test_the_plain_distribution_is_its_version(install):
    """As ever, so that no digest moves; what only begins alike is another thing."""
    found = install("onnxruntime 1.31.1", "onnxruntime_extensions 0.14", "onnxruntime_genai 0.9")

    assert "1.31.1" == found["onnxruntime"]
    assert "0.14" == found["onnxruntime-extensions"]


@pytest.mark.parametrize("name", ["onnxruntime_gpu", "our_own_build"])
def test_another_that_brings_the_module_is_named(install, name):
    """Known by the files that it was installed with; an upgrade is another fact."""
    found = install(f"{name} 1.31.1", "onnxruntime_extensions 0.14")

    assert f"{name.replace('_', '-')} 1.31.1" == found["onnxruntime"]
    assert {"onnxruntime": f"{name.replace('_', '-')} 1.31.1"} == dict(found)
    assert () == list_doubts(found)


def test_what_brings_no_module_is_not_it(install):
    """A name that begins alike does not run a model."""
    assert "onnxruntime" not in install("onnxruntime_extensions 0.14", "onnxruntime_genai 0.9")


def test_several_overwrite_each_other(install):
    """All are named, and it is said what to do: uninstalling one breaks the other."""
    found = install("onnxruntime 1.31.1", "onnxruntime_gpu 1.30.0")

    assert "onnxruntime 1.31.1 and onnxruntime-gpu 1.30.0" == found["onnxruntime"]
    (doubt,) = list_doubts(found)
    assert "overwrite each other" in doubt
    assert "uninstall all of them, then install one" in doubt


@pytest.mark.parametrize(
    ("last", "fact"),
    [
        (("onnxruntime-gpu", "1.30.0"), "onnxruntime-gpu 1.30.0"),
        (("onnxruntime", "1.31.1"), "1.31.1"),
        (("onnxruntime", "1.29.0"), "onnxruntime 1.31.1 and onnxruntime-gpu 1.30.0"),
    ],
)
def test_of_several_the_one_installed_last_is_known_by_its_own_words(install, tmp_path, last, fact):
    """Its files lie over the others'; words that no list bears out are not believed."""
    place = tmp_path / "site-packages/onnxruntime/capi"
    place.mkdir(parents=True)
    name, version = last
    words = f"package_name = '{name}'\n__version__ = '{version}'\ncuda_version = '13.0'\n"
    (place / "build_and_package_info.py").write_text(words)

    assert fact == install("onnxruntime 1.31.1", "onnxruntime_gpu 1.30.0")["onnxruntime"]


def test_the_first_folder_on_the_path_wins(install):
    """What lies in another hides, and overwrites nothing."""
    install("onnxruntime_gpu 1.30.0", at="first")

    assert "onnxruntime-gpu 1.30.0" == install("onnxruntime 1.31.1")["onnxruntime"]


def test_tensorrt_pins_what_brings_its_module(install):
    """The distribution `tensorrt` holds nothing: its version stands for the one that does."""
    found = install(
        "tensorrt 11.4.0", "tensorrt_cu13 11.4.0", "tensorrt_cu12_bindings 11.4.0", "tensorrt_rtx 1"
    )

    assert "11.4.0" == found["tensorrt"]


@pytest.mark.parametrize(
    ("installed", "fact"),
    [
        (("tensorrt_cu12 10.16.1", "tensorrt_cu12_bindings 10.16.1"), "tensorrt-cu12 10.16.1"),
        (("tensorrt_cu12_bindings 10.16.1",), "tensorrt-cu12-bindings 10.16.1"),
        (
            ("tensorrt 11.4", "tensorrt_cu12 10.16", "tensorrt_cu13 11.4"),
            "tensorrt-cu12 10.16 and tensorrt-cu13 11.4",
        ),
    ],
)
def test_tensorrt_by_another_name(install, installed, fact):
    """For another CUDA, or without its libraries, which a build does not need."""
    assert fact == install(*installed)["tensorrt"]


def test_without_a_list_of_files_the_name_counts(install, tmp_path):
    """As packages of a Linux distribution are."""
    (tmp_path / "site-packages/onnxruntime-1.20.dist-info").mkdir(parents=True)

    assert "1.20" == install()["onnxruntime"]
    assert "1.20" == install("onnxruntime_extensions 0.14")["onnxruntime"]


def test_what_was_read_is_seen(install, tmp_path):
    """A kept answer holds only while the list of files says the same."""
    with Watch() as watch:
        assert "onnxruntime" in install("onnxruntime_gpu 1.30.0")

    record = tmp_path / "site-packages/onnxruntime_gpu-1.30.0.dist-info/RECORD"
    assert str(record) in watch.looks


@pytest.fixture
def planned_with(tmp_path, monkeypatch):
    """Plan a recipe where these are installed before all others; return plan and remarks."""
    recipe = small_project(tmp_path / "project")

    def plan(*folders):
        for folder in folders:
            (tmp_path / "on top" / f"{folder}.dist-info").mkdir(parents=True)
            record = tmp_path / "on top" / f"{folder}.dist-info" / "RECORD"
            record.write_text("onnxruntime/__init__.py,,\n")
        monkeypatch.setattr(sys, "path", [str(tmp_path / "on top"), *sys.path])
        found = plan_recipe(load_recipe(recipe), Store(tmp_path / "store"), Inline(), targets=())
        shutil.rmtree(tmp_path / "on top", ignore_errors=True)
        return {each.name: each.digest for each in found.plan.steps}, found.notes

    return plan


def test_an_upgrade_by_another_name_runs_what_it_computed(planned_with):
    """Steps that ONNX Runtime takes part in, and those after them."""
    (old, none), (new, _) = (
        planned_with(f"onnxruntime_gpu-{version}") for version in ("1.30.0", "1.31.1")
    )

    assert () == none
    assert old["import_model"] == new["import_model"]
    assert old["calibrate"] != new["calibrate"]


def test_a_plan_tells_of_distributions_that_overwrite_each_other(planned_with):
    """What it makes is by one of them, and nobody knows by which."""
    _, (note,) = planned_with("onnxruntime-1.31.1", "onnxruntime_gpu-1.31.1")

    assert note.startswith("onnxruntime 1.31.1 and onnxruntime-gpu 1.31.1 are installed")
