"""Processor time a request, beside MLServer and beside the smallest application that does the same.

    python -m benchmarks.serving_cost EXPORT --peers VENV [--seconds 0.5] [--rounds 15]

VENV has mlserver, onnxruntime, uvloop and httptools; fastapi and uvicorn come with mlserver. All
servers hold the same head, and sides take turns within one run: a ratio is the median of those of
its rounds. What is counted is the time that all threads of a server spent on a processor: it is
what survives a machine with other work. The small application is FastAPI around ONNX Runtime and
checks nothing: bytes of z in, bytes of logits out.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks._load import press, request
from benchmarks._processor import Usage
from benchmarks._record import print_record
from benchmarks._server import mixcon_process
from benchmarks.serving_peer import bare_app, mlserver_process
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
        before = Usage.of(self.process)
        load = press(self.url, self.content, clients=_CLIENTS, seconds=seconds)
        assert not load.failed, f"{load.failed} requests failed"
        return Usage.of(self.process).since(before).on / (load.rate * seconds) * 1e6


def sides(export: Path, venv: Path, stack: contextlib.ExitStack) -> dict[str, Side]:
    """All servers, started, and what they are asked."""
    contract = read_contract(export / "cloud", "head", export / "public-key.pem")
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    url, ours = stack.enter_context(mixcon_process(export))
    theirs = stack.enter_context(mlserver_process(venv, export / "cloud", contract, folder))
    bare = stack.enter_context(bare_app(venv, export / "cloud", contract))
    found = {}
    for rows in (1, _MANY):
        z = np.random.default_rng(0).random((rows, *contract.representation.shape), np.float32)
        asked = _requests(contract, z)
        for form in ("binary", "JSON"):
            found[f"mixcon serve, {form}, {rows}"] = Side(ours, url, asked[form](url))
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
    yield "| ratio: median of the rounds | is | goal |"
    yield "|---|--:|--:|"
    for a, b, goal in (
        ("mixcon serve, JSON, 1", "MLServer, JSON, 1", 0.7),
        ("mixcon serve, binary, 1", "FastAPI + ONNX Runtime, bytes, 1", 1.2),
        (f"mixcon serve, binary, {_MANY}", f"mixcon serve, JSON, {_MANY}", 0.15),
    ):
        ratio = statistics.median(x / y for x, y in zip(costs[a], costs[b], strict=True))
        yield f"| {a}, over {b} | {ratio:.2f} | {goal} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.serving_cost", description=__doc__)
    parser.add_argument("export", type=Path)
    parser.add_argument("--peers", type=Path, required=True, metavar="VENV")
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    options = f"--seconds {args.seconds:g} --rounds {args.rounds}"
    print_record(
        f"python -m benchmarks.serving_cost EXPORT --peers VENV {options}",
        run(args.export, args.peers, args.seconds, args.rounds),
    )


if __name__ == "__main__":
    main()
