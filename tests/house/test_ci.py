"""What people copy for their build services: it parses, asks for what there is, and is careful."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.helpers.projects import tiny_project

PLACE = Path(__file__).parents[2] / ".ci/examples"
README = (PLACE.parents[1] / "README.md").read_text(encoding="utf-8")
GITHUB = yaml.safe_load((PLACE / "github.yml").read_text(encoding="utf-8"))
GITLAB = yaml.safe_load((PLACE / "gitlab.yml").read_text(encoding="utf-8"))
DOCKERFILE = (PLACE / "Dockerfile").read_text(encoding="utf-8")


def github_steps() -> Iterator[dict]:
    for job in GITHUB["jobs"].values():
        yield from job["steps"]


def scripts() -> list[str]:
    found = [step["run"] for step in github_steps() if "run" in step]
    return found + [line for job in ("review", "engines") for line in GITLAB[job]["script"]]


def commands() -> Iterator[list[str]]:
    """Yield the words of every call of trtbuild."""
    for script in scripts():
        for call in re.findall(r"(?<!-- )\btrtbuild ([a-z][^\n|;>]*)", script):
            yield shlex.split(call)


@pytest.mark.parametrize("script", scripts(), ids=lambda text: text.splitlines()[0][:30])
def test_a_script_is_one(script):
    """To the shell that runs it; nothing of GitHub's is pasted into it, where titles would run."""
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)  # noqa: S607

    assert "${{" not in script


def test_what_is_asked_for_is_there():
    """Each verb, and each of its options, as it says of itself."""
    from trtbuild.cli.app import GROUPS, VERBS

    called = list(commands())
    assert {"validate", "diff", "lock", "apply"} == {words[0] for words in called}
    for verb in {words[0] for words in called}:
        assert verb in VERBS | GROUPS
        source = Path(__import__(f"trtbuild.cli.{verb}", fromlist=[verb]).__file__).read_text()
        options = {w for words in called if words[0] == verb for w in words if w.startswith("--")}
        assert {each for each in options if f'"{each}"' not in source} <= {"--format"}


def test_what_reaches_the_store_is_installed():
    """Each job opens it, and fsspec alone reaches no bucket."""
    installs = [text for text in scripts() if "pip install" in text]

    assert {'pip install "$TRTBUILD" "$STORAGE"'} == {*installs}
    for variables in (GITHUB["env"], GITLAB["variables"]):
        assert ("s3://", "s3fs") == (variables["TRTBUILD_STORE_REMOTE"][:5], variables["STORAGE"])
    assert "ARG STORAGE=s3fs" in DOCKERFILE


def test_nobody_is_given_more_than_is_needed():
    """Jobs read; one writes comments. Strangers' changes build, and write nothing for others."""
    rights = {name: job.get("permissions") for name, job in GITHUB["jobs"].items()}

    assert {"contents": "read"} == GITHUB["permissions"]
    assert {"review": {"contents": "read", "pull-requests": "write"}, "engines": None} == rights
    assert "head.repo.fork && '0'" in GITHUB["env"]["TRTBUILD_STORE_REMOTE_WRITE"]
    assert "pull_request_target" not in str(GITHUB)
    assert "0" == GITLAB["engines"]["rules"][0]["variables"]["TRTBUILD_STORE_REMOTE_WRITE"]
    assert all("@v" in step["uses"] for step in github_steps() if "uses" in step)


def test_each_sort_of_gpu_has_a_job():
    """By its label; one that fails ends no other, and what came of it is kept."""
    engines = GITHUB["jobs"]["engines"]
    assert ["self-hosted", "gpu", "${{ matrix.gpu }}"] == engines["runs-on"]
    assert engines["strategy"]["fail-fast"] is False
    assert engines["strategy"]["matrix"]["gpu"] == GITLAB["engines"]["parallel"]["matrix"][0]["GPU"]
    assert ["gpu", "$GPU"] == GITLAB["engines"]["tags"]
    assert "engines.xml" == GITLAB["engines"]["artifacts"]["reports"]["junit"]


GH = """#!/bin/sh
echo "$@" >> "$LOG"
case "$*" in *--jq*) cat "$KNOWN";; esac
"""
CURL = """#!/bin/sh
echo "$@" >> "$LOG"
case "$*" in *per_page*) cat "$KNOWN";; esac
"""
DOUBLES = {"gh": GH, "curl": CURL, "trtbuild": "#!/bin/sh\necho what differs\nexit 1\n"}


@pytest.mark.parametrize(
    ("script", "known", "wanted"),
    [
        ("github", "", "issues/7/comments -F body=@comment.md"),
        ("github", "41\n42\n", "-X PATCH repos/o/r/issues/comments/41 -F body=@comment.md"),
        ("gitlab", "[]", "--request POST --data-urlencode body@comment.md https://x/projects/1"),
        ("gitlab", '[{"id": 5, "body": "<!-- trtbuild diff -->"}]', "--request PUT"),
    ],
)
def test_the_comment_is_updated_in_place(tmp_path, script, known, wanted):
    """Run as the services would, with doubles of their programs: made once, then changed."""
    for name, text in DOUBLES.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "known").write_text(known)
    named = [text for text in scripts() if "marker=" in text]
    text = named[0] if script == "github" else named[1]
    variables = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}", "LOG": str(tmp_path / "log"),
        "KNOWN": str(tmp_path / "known"), "GITHUB_REPOSITORY": "o/r", "NUMBER": "7",
        "GITHUB_BASE_REF": "main", "CI_API_V4_URL": "https://x", "CI_PROJECT_ID": "1",
        "CI_MERGE_REQUEST_IID": "7", "COMMENT_TOKEN": "t",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    }  # fmt: skip
    subprocess.run(["bash", "-eo", "pipefail", "-c", text], cwd=tmp_path, env=variables, check=True)  # noqa: S607

    assert wanted in (tmp_path / "log").read_text().splitlines()[-1]
    assert "<!-- trtbuild diff -->\nwhat differs\n" == (tmp_path / "comment.md").read_text()


def instructions() -> list[tuple[str, str]]:
    lines = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", DOCKERFILE)).splitlines()
    return [tuple(line.split(None, 1)) for line in lines if line.strip()]


def test_the_container_is_small_and_is_nobody():
    """As hadolint has it: a slim base of one version, no cache kept, a user by number, and JSON."""
    told = instructions()
    words = [word for word, _ in told]
    assert {"FROM", "WORKDIR", "COPY", "RUN", "ARG", "ENV", "USER", "VOLUME", "ENTRYPOINT",
            "CMD"} == {*words}  # fmt: skip
    assert {"python:3.12-slim"} == {text.split()[0] for word, text in told if word == "FROM"}
    assert ["10001:10001"] == [text for word, text in told if word == "USER"]
    assert words.index("USER") > max(i for i, word in enumerate(words) if word == "RUN")
    assert all("--no-cache-dir" in text for word, text in told if "pip " in text and word == "RUN")
    assert all(isinstance(json.loads(t), list) for w, t in told if w in {"ENTRYPOINT", "CMD"})
    here = PLACE.parents[1]
    copied = [text.split()[:-1] for word, text in told if word == "COPY" and "--from" not in text]
    assert all((here / name).exists() for names in copied for name in names)
    script = next(text for word, text in told if word == "RUN" and "useradd" in text)
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)  # noqa: S607


def test_it_works_where_home_cannot_be_written_to(tmp_path):
    """As in that container: HOME is not there, and nobody could make it."""
    recipe = tiny_project(tmp_path / "work")
    (variables := dict(os.environ)).pop("XDG_CACHE_HOME", None)
    variables |= {"HOME": "/proc/nobody", "TRTBUILD_STORE": str(tmp_path / "store")}
    words = [sys.executable, "-m", "trtbuild", "apply", "--executor", "inline", recipe.name]
    ran = subprocess.run(
        words, cwd=recipe.parent, env=variables, capture_output=True, text=True, check=False
    )

    assert (0, "") == (ran.returncode, "".join(re.findall("(?m)^error.*", ran.stderr)))


def test_the_readme_leads_there():
    """Whoever looks for it finds it."""
    assert all(f"(.ci/examples/{path.name})" in README for path in PLACE.iterdir())
