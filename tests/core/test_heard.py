from __future__ import annotations

from trtbuild.core.heard import is_users, list_constants


def test_texts_that_may_be_paths_are_found_in_code(tmp_path):
    """What a library of C is given to read is often written there."""
    path = tmp_path / "code.py"
    path.write_text('A = "/data/x.bin"\nB = "no path"\ndef f():\n    return g("in/y.bin")\n')

    assert ["/data/x.bin", "in/y.bin"] == list(list_constants(str(path)))


def test_code_that_cannot_be_read_names_nothing(tmp_path):
    """It is refused elsewhere, in words."""
    (tmp_path / "code.py").write_text("def (")

    assert [] == list(list_constants(str(tmp_path / "code.py")))


def test_what_python_brings_is_not_the_users(tmp_path):
    """Nor are modules that have no file."""
    import json

    assert (True, False, False) == tuple(map(is_users, (str(tmp_path / "a.py"), json.__file__, "")))
