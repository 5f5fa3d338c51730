"""Processor time a request, beside MLServer and beside the smallest application that does the same.

    python -m benchmarks.serving_cost EXPORT --peers VENV [--seconds 2] [--rounds 5]

VENV has mlserver, onnxruntime, uvloop and httptools; fastapi and uvicorn come with mlserver. All
servers hold the same head, sides take turns within one run, and medians over the rounds are
compared. What is counted is the time that all threads of a server spent on a processor: it is what
survives a machine with other work. The small application is FastAPI around ONNX Runtime and checks
nothing: bytes of z in, bytes of logits out.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks._load import press, request
from benchmarks._server import start
from benchmarks.serving_peer import bare_app, mlserver_process
from mixcon.audit import environment_of
from mixcon.serving import Contract, read_contract
from mixcon.serving.messages import JSON_LENGTH
from mixcon.serving.requests import build_request

_CLIENTS = 4
_MANY = 64  # rows


@dataclass(frozen=True)
class Side:
    """One way to ask one server.

    Attributes:
        process: the server's.
        url: its address.
        content: a request.
    """

    process: int
    url: str
    content: bytes

    def cost(self, seconds: float) -> float:
        """Processor time a request, in microseconds."""
        before = processor_seconds(self.process)
        load = press(self.url, self.content, clients=_CLIENTS, seconds=seconds)
        assert not load.failed, f"{load.failed} requests failed"
        spent = processor_seconds(self.process) - before
        return spent / (load.rate * seconds) * 1e6


def processor_seconds(process: int) -> float:
    """What all threads of a process spent on processors so far."""
    threads = Path(f"/proc/{process}/task").glob("*/schedstat")
    return sum(int(file.read_text().split()[0]) for file in threads) / 1e9


def sides(export: Path, venv: Path, stack: contextlib.ExitStack) -> dict[str, Side]:
    """All servers, started, and what they are asked."""
    contract = read_contract(export / "cloud", "head", export / "public-key.pem")
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    ours, url = start(export)
    stack.callback(_end, ours)
    theirs = stack.enter_context(mlserver_process(venv, export / "cloud", contract, folder))
    bare = stack.enter_context(bare_app(venv, export / "cloud", contract))
    found = {}
    for rows in (1, _MANY):
        z = np.random.default_rng(0).random((rows, *contract.representation.shape), np.float32)
        asked = _requests(contract, z)
        for form in ("binary", "JSON"):
            found[f"mixcon serve, {form}, {rows}"] = Side(ours.pid, url, asked[form](url))
        found[f"MLServer, JSON, {rows}"] = Side(theirs[1], theirs[0], asked["JSON"](theirs[0]))
        plain = request(bare[0], "/infer", z.tobytes(), {})
        found[f"FastAPI + ONNX Runtime, bytes, {rows}"] = Side(bare[1], bare[0], plain)
    return found


def _requests(contract: Contract, z: np.ndarray) -> dict[str, Callable[[str], bytes]]:
    path = f"/v2/models/{contract.name}/infer"
    binary, length = build_request(z, "float32", contract, "a")
    text, _ = build_request(z, "float32", contract, "a", binary=False)
    return {
        "binary": lambda url: request(url, path, binary, {JSON_LENGTH: str(length)}),
        "JSON": lambda url: request(url, path, text, {"Content-Type": "application/json"}),
    }


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.communicate(timeout=60)
    finally:
        process.kill()


def run(export: Path, venv: Path, seconds: float, rounds: int) -> Iterator[str]:
    """The costs, and the ratios that were aimed at."""
    with contextlib.ExitStack() as stack:
        asked = sides(export, venv, stack)
        for side in asked.values():
            side.cost(seconds / 4)  # warm
        costs: dict[str, list[float]] = {name: [] for name in asked}
        for _ in range(rounds):
            for name, side in asked.items():
                costs[name].append(side.cost(seconds))
    yield "| server, form, rows | processor time (µs): median | least | most |"
    yield "|---|--:|--:|--:|"
    for name, found in costs.items():
        middle = statistics.median(found)
        yield f"| {name} | {middle:,.0f} | {min(found):,.0f} | {max(found):,.0f} |"
    yield ""
    yield "| ratio of medians | is | goal |"
    yield "|---|--:|--:|"
    for a, b, goal in (
        ("mixcon serve, JSON, 1", "MLServer, JSON, 1", 0.7),
        ("mixcon serve, binary, 1", "FastAPI + ONNX Runtime, bytes, 1", 1.2),
        (f"mixcon serve, binary, {_MANY}", f"mixcon serve, JSON, {_MANY}", 0.15),
    ):
        ratio = statistics.median(costs[a]) / statistics.median(costs[b])
        yield f"| {a}, over {b} | {ratio:.2f} | {goal} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.serving_cost", description=__doc__)
    parser.add_argument("export", type=Path)
    parser.add_argument("--peers", type=Path, required=True, metavar="VENV")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    options = f"--seconds {args.seconds:g} --rounds {args.rounds}"
    where = environment_of(f"python -m benchmarks.serving_cost EXPORT --peers VENV {options}", 0)
    print(f"{where.command}\n{where.machine}, {json.dumps(where.versions)}, {where.started}\n")
    for line in run(args.export, args.peers, args.seconds, args.rounds):
        print(line, flush=True)


if __name__ == "__main__":
    main()
