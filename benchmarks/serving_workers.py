"""Two workers against one: answers a second, and what an answer costs in processor time.

    python -m benchmarks.serving_workers EXPORT [--seconds 3] [--rounds 5] [--share 0.3]

Servers take turns within one run, and are pressed from this same machine. With `--share` each
worker may use that part of a core and no more, by a control group (which takes root), and the load
has what is left: as if it came from elsewhere, and each worker had a small core of its own.
Without, load and workers share the cores, so answers a second cannot double, and other work takes
its part. What carries over then is the processor time of an answer, which adds up over the
workers, and how evenly the kernel deals connections out: with W workers, of which the busiest has
the share s of the work, W cores can answer 1 / (s * cost) times a second, where one answers
1 / (cost of one worker).
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks._load import press
from benchmarks._one_row import one_row
from benchmarks._processor import Usage
from benchmarks._quota import shares_of_a_core
from benchmarks._record import print_record
from benchmarks._server import mixcon_process

_CLIENTS = 64


@dataclass(frozen=True)
class Turn:
    """What one server did in one turn.

    Attributes:
        rate: answers a second.
        cost: processor time of an answer over all workers, in microseconds.
        busiest: share of that time that the busiest worker took.
    """

    rate: float
    cost: float
    busiest: float

    @property
    def capacity(self) -> float:
        """Answers a second, if each worker has a core and the load comes from elsewhere."""
        return 1e6 / (self.cost * self.busiest)


def workers_of(process: int) -> list[int]:
    """Processes that serve: the children that were spawned for it, or the process itself."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    commands = {int(pid): Path(f"/proc/{pid}/cmdline").read_text() for pid in children}
    return [pid for pid, command in commands.items() if "spawn_main" in command] or [process]


def turn(url: str, process: int, content: bytes, seconds: float) -> Turn:
    """Press a server for so long."""
    before = {pid: Usage.of(pid) for pid in workers_of(process)}
    load = press(url, content, clients=_CLIENTS, seconds=seconds)
    assert not load.failed, f"{load.failed} requests failed"
    spent = [Usage.of(pid).since(usage).on for pid, usage in before.items()]
    whole = sum(spent)
    return Turn(load.rate, whole / (load.rate * seconds) * 1e6, max(spent) / whole)


def run(export: Path, seconds: float, rounds: int, share: float | None = None) -> Iterator[str]:
    """Both servers, and what they would do with cores of their own."""
    content = one_row(export)
    found: dict[int, list[Turn]] = {1: [], 2: []}
    with contextlib.ExitStack() as stack:
        servers = {
            n: stack.enter_context(mixcon_process(export, "--workers", str(n))) for n in found
        }
        for server in servers.values():
            turn(*server, content, seconds / 4)  # warm
            if share:
                stack.enter_context(shares_of_a_core(workers_of(server[1]), share))
        for _ in range(rounds):
            for n, server in servers.items():
                found[n].append(turn(*server, content, seconds))
    yield "| workers | answers/s here | processor time of one (µs) | busiest | could answer/s |"
    yield "|--:|--:|--:|--:|--:|"
    for n, turns in found.items():
        rate, cost, busiest, capacity = (
            statistics.median(getattr(one, what) for one in turns)
            for what in ("rate", "cost", "busiest", "capacity")
        )
        yield f"| {n} | {rate:,.0f} | {cost:,.0f} | {busiest:.0%} | {capacity:,.0f} |"
    pairs = [*zip(found[2], found[1], strict=True)]
    here = statistics.median(two.rate / one.rate for two, one in pairs)
    could = statistics.median(two.capacity / one.capacity for two, one in pairs)
    how = f"{here:.2f} with {share:g} of a core each" if share else f"{here:.2f} here"
    yield f"\nTwo over one, median of the rounds: {how}, {could:.2f} by processor time"


def main() -> None:
    """Press, and print what came of it."""
    parser = argparse.ArgumentParser(prog="benchmarks.serving_workers", description=__doc__)
    parser.add_argument("export", type=Path)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--share", type=float, help="of a core, for each worker")
    args = parser.parse_args()
    options = f"--seconds {args.seconds:g} --rounds {args.rounds}"
    options += f" --share {args.share:g}" if args.share else ""
    print_record(
        f"python -m benchmarks.serving_workers EXPORT {options}",
        run(args.export, args.seconds, args.rounds, args.share),
    )


if __name__ == "__main__":
    main()
