"""Where a bundle says that it comes from, as in-toto and SLSA say it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from trtbuild.core.refit_account import RefitAccount
from trtbuild.verbs.packaging.provenance import write_provenance

ENGINE = ("a", "tensorrt10", "10.14.1.48", ("8.9",))
PHOTO = {"photos/a.png": "sha256:1"}


def write(build, files):
    told = json.loads(write_provenance(build, files, PHOTO))
    return told, told["predicate"]["buildDefinition"]


def test_it_holds_the_digest_of_every_file(place):
    """Of what is packed, and of what it was built from."""
    build = place(ENGINE)
    files = {"run.py": b"program", "engines/a/model.engine": build.engines[0].path}
    told, made = write(build, files)

    data = {"run.py": b"program", "engines/a/model.engine": b"engine a"}
    assert {name: hashlib.sha256(each).hexdigest() for name, each in data.items()} == {
        each["name"]: each["digest"]["sha256"] for each in told["subject"]
    }
    assert told["predicate"]["runDetails"]["builder"]["id"].startswith("pkg:pypi/trtbuild@")
    assert ["r.yaml", "photos/a.png"] == [each["name"] for each in made["resolvedDependencies"]]
    assert ("urn:trtbuild:apply:v1", {"targets": ["a"]}) == (
        made["buildType"],
        made["internalParameters"],
    )


def test_of_a_refitted_engine_it_names_both_sources(place):
    """The engine before it, and the weights."""
    refit = RefitAccount(
        recipe="mean",
        target="a",
        weights="new.pth",
        weights_digest="sha256:2",
        refitted_from="sha256:3",
        changed=4,
    )
    _, made = write(replace(place(ENGINE), refit=refit), {})

    assert "urn:trtbuild:refit:v1" == made["buildType"]
    assert {"sha256": "3"} == made["internalParameters"]["refitted_from"]
    last = made["resolvedDependencies"][-1]
    assert ("new.pth", {"sha256": "2"}) == (last["name"], last["digest"])
