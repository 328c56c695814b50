"""`trtbuild serve` under load: clients at once, and requests that make no sense.

    python -m tests.bench.serving [SECONDS] [CLIENTS]

The server is a process of its own with its usual limits, and all are on this machine.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.helpers.models import model_of

MODEL = "net (float[n,3,64,64] x) => (float[n,3,1,1] y) { y = GlobalAveragePool(x) }"
PORT = 8123
PATH = "/v2/models/net/infer"
VALUES = [0.5] * (3 * 64 * 64)
INPUT = {"name": "x", "shape": [1, 3, 64, 64], "datatype": "FP32"}
PIECES = [b"{", b"}", b'"inputs"', b":", b"[", b"]", b'"shape"', b"-1", b"null", b"\x00", b"1e999"]


async def main() -> None:
    seconds, clients = (
        float(each) for each in (*sys.argv[1:], *("60", "200")[len(sys.argv) - 1 :])
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.onnx"
        path.write_bytes(model_of(MODEL).SerializeToString())
        command = [sys.executable, "-m", "trtbuild", "serve", str(path), "--port", str(PORT)]
        server = subprocess.Popen([*command, "--device", "cpu"], stdout=subprocess.DEVNULL)  # noqa: ASYNC220
        try:
            await until_ready()
            resident = [read_resident(server.pid)]
            statuses, delays = await load(seconds, int(clients))
            resident.append(read_resident(server.pid))
            say(f"{int(clients)} clients, {seconds:g} s: {dict(statuses)}, "
                f"{statuses[200] / seconds:.0f} answers a second")  # fmt: skip
            cuts = statistics.quantiles(delays, n=100)
            say(
                f"p50 {1e3 * cuts[49]:.1f} ms, p99 {1e3 * cuts[98]:.1f} ms: "
                f"{cuts[98] / cuts[49]:.2f} times"
            )
            say(f"memory {resident[0]:.0f} MiB before, {resident[1]:.0f} after")
            say(f"1000 malformed requests: {dict(await malformed(1000))}")
        finally:
            server.terminate()
            say(f"ended with {server.wait(20)}")


async def until_ready() -> None:
    for _ in range(200):
        try:
            if await ask(b"", "/v2/health/ready", "GET") == 200:
                return
        except OSError:
            await asyncio.sleep(0.1)
    raise SystemExit("the server did not start")


async def ask(body: bytes, path: str = PATH, method: str = "POST") -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    try:
        return await send(reader, writer, body, path, method)
    finally:
        writer.close()


async def send(reader, writer, body: bytes, path: str = PATH, method: str = "POST") -> int:
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
    length = next(int(line.split(":")[1]) for line in lines if line.startswith("content-length"))
    told = await reader.readexactly(length)
    status = int(lines[0].split()[1])
    if status >= 400:
        assert json.loads(told)["error"], told
    return status


async def load(seconds: float, clients: int) -> tuple[Counter[int], list[float]]:
    body = json.dumps({"inputs": [{**INPUT, "data": VALUES}]}).encode()
    statuses: Counter[int] = Counter()
    delays: list[float] = []
    end = time.monotonic() + seconds

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        while time.monotonic() < end:
            before = time.monotonic()
            status = await send(reader, writer, body)
            statuses[status] += 1
            if status == 200:
                delays.append(time.monotonic() - before)
            else:
                await asyncio.sleep(1.0)  # as `retry-after` says
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return statuses, delays


async def malformed(count: int) -> Counter[int]:
    random.seed(0)
    statuses: Counter[int] = Counter()
    for _ in range(count):
        statuses[await ask(b"".join(random.choices(PIECES, k=random.randrange(9))))] += 1
    return statuses


def read_resident(pid: int) -> float:
    """Return a process's resident memory in MiB."""
    told = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in told.splitlines() if "VmRSS" in line) / 1024


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
