"""The server under load, beside MLServer with the same head, and beside the head alone.

    python -m benchmarks.serving EXPORT --mlserver VENV [--seconds 5] [--rounds 3]

One machine, one run, taking turns: every round presses each server for as many seconds, over the
loopback, with one representation a request. MLServer takes JSON alone; it runs without and with its
adaptive batching and in one process, which is its fastest setting here. The load generator is a
process beside the server.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks._load import Load, press, request
from benchmarks._record import print_record
from benchmarks._server import mixcon_server
from benchmarks.serving_peer import mlserver
from mixcon.serving import Contract, read_contract
from mixcon.serving.messages import JSON_LENGTH
from mixcon.serving.requests import build_request
from mixcon.serving.runtime import session
from mixcon.serving.wire import Floats


def messages(contract: Contract, z: Floats) -> dict[str, Callable[[str], bytes]]:
    """The same representation as a binary and as a JSON request."""
    path = f"/v2/models/{contract.name}/infer"
    binary, length = build_request(z, "float32", contract, "a")
    small, small_length = build_request(z, "int8", contract, "a")
    text, _ = build_request(z, "float32", contract, "a", binary=False)
    plain = {"Content-Type": "application/json"}
    return {
        "binary float32": lambda url: request(url, path, binary, {JSON_LENGTH: str(length)}),
        "binary int8": lambda url: request(url, path, small, {JSON_LENGTH: str(small_length)}),
        "JSON": lambda url: request(url, path, text, plain),
    }


def alone(export: Path, z: Floats, seconds: float) -> Load:
    """The head in this process, one representation a call."""
    head = session((export / "cloud" / "head.onnx").read_bytes())
    times = []
    end = time.perf_counter() + seconds
    while (started := time.perf_counter()) < end:
        head.run(None, {"z": z})
        times.append(time.perf_counter() - started)
    p50, p99 = np.percentile(times, [50, 99]) * 1e3
    return Load(len(times) / seconds, float(p50), float(p99), 0)


def run(export: Path, venv: Path, clients: int, seconds: float, rounds: int) -> Iterator[str]:
    contract = read_contract(export / "cloud", "head", export / "public-key.pem")
    z = np.random.default_rng(0).random((1, *contract.representation.shape), np.float32)
    ask = messages(contract, z)
    with contextlib.ExitStack() as stack:

        def peer(**settings: int) -> str:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            server = mlserver(venv, export / "cloud", contract, folder, **settings)
            return stack.enter_context(server)

        ours, theirs, batching = stack.enter_context(mixcon_server(export)), peer(), peer(batch=64)
        sides: dict[str, Callable[[], Load]] = {
            f"mixcon serve, {name}": lambda m=message: press(
                ours, m(ours), clients=clients, seconds=seconds
            )
            for name, message in ask.items()
        }
        for name, url in (("MLServer, JSON", theirs), ("MLServer, JSON, batching", batching)):
            sides[name] = lambda u=url: press(u, ask["JSON"](u), clients=clients, seconds=seconds)
        sides["the head alone, in process"] = lambda: alone(export, z, seconds)
        found: dict[str, list[Load]] = {name: [] for name in sides}
        for _ in range(rounds):
            for name, side in sides.items():
                found[name].append(side())
    yield from table(found)


def table(found: dict[str, list[Load]]) -> Iterator[str]:
    """Medians over the rounds."""
    yield "| side | requests/s | p50 (ms) | p99 (ms) | failed |"
    yield "|---|--:|--:|--:|--:|"
    for name, loads in found.items():
        rate, p50, p99 = (
            statistics.median(getattr(load, what) for load in loads)
            for what in ("rate", "p50", "p99")
        )
        failed = sum(load.failed for load in loads)
        yield f"| {name} | {rate:,.0f} | {p50:.2f} | {p99:.2f} | {failed} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.serving", description=__doc__)
    parser.add_argument("export", type=Path)
    parser.add_argument("--mlserver", type=Path, required=True, metavar="VENV")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    command = f"python -m benchmarks.serving EXPORT --mlserver VENV --clients {args.clients}"
    print_record(command, run(args.export, args.mlserver, args.clients, args.seconds, args.rounds))


if __name__ == "__main__":
    main()
