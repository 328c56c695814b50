"""Hostile input: ways to harm a file, files made to do harm, and what must come of them."""

from __future__ import annotations

import io
import os
import re
import struct
import zipfile
from contextlib import redirect_stderr, redirect_stdout

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from trtbuild.cli.app import run

EFFORT = int(os.environ.get("TRTBUILD_FUZZ", "1"))
"""How many times as long to look as in the suite: `TRTBUILD_FUZZ=100 pytest tests/fuzz`."""
EXPECTED = {0, 1, 2, 3, 4, 5}
"""Every exit code but 70, which is a bug."""
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What a terminal would obey."""
ESCAPES = "a\x1b]0;owned\x07\x9b31m\u202eb"
FORGED = (
    "a\n::warning::forged",
    "::error::forged",
    "b\r::error::forged ##[error]forged ##vso[task.x]forged",
    "\x1b[31m\u202ec\nforged",
    '"""\nforged()\n"""',
    "<script>forged</script>|`d`](http://forged)\n\n# forged",
    "%0A::error::forged\u2028forged",
)
"""Names that begin lines of their own, some with a command to the service that runs a build, or
that end what they are written into."""
COMMANDS = re.compile(r"##(\[|vso\[|teamcity\[)|^\s*::", re.IGNORECASE | re.MULTILINE)
FORGED_LINES = re.compile(r"^\W*forged", re.MULTILINE)


def looked(examples):
    """Return hypothesis settings for so many examples, or more where more effort is asked for."""
    return settings(
        max_examples=examples * EFFORT,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )


def typed(*arguments):
    """Type a command in this process; it must end as documented and say nothing that acts.

    Returns its exit code and what it said.
    """
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2)]
    with redirect_stdout(streams[0]), redirect_stderr(streams[1]):
        code = run([str(each) for each in arguments])
    for stream in streams:
        stream.flush()
    said = "".join(stream.buffer.getvalue().decode() for stream in streams)
    assert code in EXPECTED, f"{arguments}: {code}\n{said}"
    assert "Traceback" not in said, said
    assert OBEYED.search(said) is None, (arguments, said)
    assert FORGED_LINES.search(said) is None, (arguments, said)
    if "github" not in arguments:
        assert COMMANDS.search(said) is None, (arguments, said)
    return code, said


@st.composite
def harmed(draw, data):
    """Draw bytes with some of them flipped, replaced, doubled or cut off."""
    found = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(found) - 1)))
        match draw(st.integers(0, 4)):
            case 0 if found:
                found[at] ^= 1 << draw(st.integers(0, 7))
            case 1:
                piece = draw(st.binary(max_size=6) | st.sampled_from([b"\xff" * 4, b"9" * 30]))
                found[at : at + draw(st.integers(0, 8))] = piece
            case 2:
                found[at:at] = found[at : at + 40]
            case 3:
                del found[at : at + draw(st.integers(1, 40))]
            case _:
                del found[at:]
    return bytes(found)


def npy(shape, dtype="<f4", body=b""):
    """Make an npy file that claims a shape, whatever it holds."""
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape!r}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


def npz(members, compression=zipfile.ZIP_STORED):
    """Make an archive of members by name."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()
