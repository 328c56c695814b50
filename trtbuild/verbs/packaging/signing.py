"""Bundles signed by a tool that is installed: cosign, or OpenSSF's model-signing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Literal

from trtbuild.core.errors import MissingDependency, MissingFile, StepInputError
from trtbuild.core.words import quote_whole
from trtbuild.verbs.packaging.bundle import PROVENANCE

__all__ = ["Signer", "demand_signer", "sign_bundle"]

Signer = Literal["cosign", "model-signing"]
ENDING = ".sig"
LIMIT_SECONDS = 120
_PROGRAMS: dict[Signer, tuple[str, str]] = {
    "cosign": (
        "cosign",
        "install cosign: https://docs.sigstore.dev/cosign/system_config/installation",
    ),
    "model-signing": ("model_signing", "pip install model-signing"),
}


def demand_signer(signer: Signer, key: Path) -> None:
    """Demand that a signer and its key are there, before anything is written.

    Raises:
        MissingDependency: the program is not installed.
        MissingFile: there is no such key.
    """
    program, install = _PROGRAMS[signer]
    if shutil.which(program) is None:
        raise MissingDependency(f"{program} is not installed, which is to sign", hint=install)
    if not key.is_file():
        raise MissingFile(f"--key: {key}: there is no such file", hint="name the private key")


def sign_bundle(bundle: Path, signer: Signer, key: Path) -> Path:
    """Sign a bundle, and return the file of the signature.

    Of a folder its provenance is signed, which holds the digest of every other file, and the
    signature lies beside that; an archive is signed whole, and the signature lies beside it.
    model-signing signs folders as they are.

    Raises:
        StepInputError: the signer refuses; quotes it.
    """
    whole = signer == "model-signing" and bundle.is_dir()
    what = bundle if whole or bundle.is_file() else bundle / PROVENANCE
    signature = what.with_name(what.name + ENDING)
    program, _ = _PROGRAMS[signer]
    options = (
        ["sign-blob", "--yes", "--key", str(key), "--output-signature", str(signature), str(what)]
        if signer == "cosign"
        else ["sign", "key", "--private_key", str(key), "--signature", str(signature), str(what)]
    )
    try:
        subprocess.run(
            [program, *options], check=True, capture_output=True, text=True, timeout=LIMIT_SECONDS
        )
    except subprocess.CalledProcessError as error:
        raise StepInputError(
            f"{program} does not sign {what}: {quote_whole(error.stderr or error.stdout)}",
            hint="the bundle is written, and not signed; is the key's password in its variable?",
        ) from None
    except subprocess.TimeoutExpired:
        raise StepInputError(
            f"{program} has not signed {what} after {LIMIT_SECONDS} s",
            hint="the bundle is written, and not signed; does it ask for a password?",
        ) from None
    return signature
