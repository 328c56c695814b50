"""trtbuild doctor, as its user meets it."""

from __future__ import annotations


def test_settings_that_are_wrong_are_told_by_doctor(trtbuild, tmp_path, monkeypatch):
    """At their line."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    (tmp_path / "trtbuild").mkdir()
    (tmp_path / "trtbuild/config.yaml").write_text("pythons: {tensorrt12: /p}\n")

    answer = trtbuild("doctor")

    assert 2 == answer.code
    assert "config.yaml:1:11: error: `tensorrt12` is no kind of target" in answer.err
