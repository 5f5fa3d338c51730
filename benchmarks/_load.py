"""A load generator: raw HTTP/1.1 over asyncio, so that it costs less than what it measures."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Load:
    """What a server did under load.

    Attributes:
        rate: answers per second.
        p50: median latency in milliseconds.
        p99: 99th percentile of the latency in milliseconds.
        failed: requests without status 200.
    """

    rate: float
    p50: float
    p99: float
    failed: int


def request(url: str, path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """One request as it is sent."""
    host = url.removeprefix("http://")
    fields = {"Host": host, "Content-Length": str(len(body)), **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of an answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    lowered = head.lower()
    start = lowered.index(b"\r\ncontent-length:") + 17
    length = int(lowered[start : lowered.index(b"\r\n", start)])
    return int(head[9:12]), await reader.readexactly(length)


def press(url: str, content: bytes, *, clients: int, seconds: float) -> Load:
    """Ask as fast as `clients` connections can, each waiting for its answer; loopback only."""
    return asyncio.run(_press(url, content, clients, seconds))


async def _press(url: str, content: bytes, clients: int, seconds: float) -> Load:
    host, port = url.removeprefix("http://").split(":")
    assert host == "127.0.0.1", "load goes to this machine alone"
    latencies: list[float] = []
    failed = 0
    end = time.perf_counter() + seconds

    async def client() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection(host, int(port))
        while (started := time.perf_counter()) < end:
            writer.write(content)
            status, _ = await read_answer(reader)
            latencies.append(time.perf_counter() - started)
            failed += status != 200
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    p99 = float(np.percentile(latencies, 99))
    return Load(len(latencies) / seconds, 1e3 * statistics.median(latencies), 1e3 * p99, failed)
