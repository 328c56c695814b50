from __future__ import annotations

import json

import numpy as np
import pytest
import yaml

from trtbuild.core import provenance
from trtbuild.core.provenance import find_distribution, is_installed, is_ours, is_standard


def test_tells_python_s_files_from_installed_ones():
    """Though those lie below these."""
    assert (True, False) == (is_standard(json.__file__), is_installed(json.__file__))
    assert is_installed(np.__file__)
    assert (True, False) == (is_ours(provenance.__file__), is_ours(np.__file__))


@pytest.mark.parametrize(("module", "name"), [(np, "numpy"), (yaml, "pyyaml")])
def test_finds_who_brings_a_module(module, name):
    """By its name, or by the list of files that a distribution came with."""
    assert name == find_distribution(module.__name__, module.__file__)


def test_a_module_that_was_put_there_by_hand_is_nobody_s(tmp_path):
    """Its file counts, then."""
    file = tmp_path / "site-packages/mine.py"
    file.parent.mkdir()
    file.touch()

    assert "" == find_distribution("mine", str(file))
