"""All benchmarks side by side in one run: `python -m benchmarks`.

Every figure is a ratio of medians of alternating rounds, so that a noisy machine disturbs both
sides alike. Sections: step, loss, memory, loading, reidentification,
stacked, inversion. Name some to run only those.
"""

from __future__ import annotations

import argparse

import torch

from benchmarks import inversion, loading, loss, memory, reidentification, stacked, step
from benchmarks._progress import course
from mixcon.audit import environment_of

SECTIONS = {
    "step": step.run,
    "loss": loss.run,
    "memory": memory.run,
    "loading": loading.run,
    "reidentification": reidentification.run,
    "stacked": stacked.run,
    "inversion": inversion.run,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("sections", nargs="*", choices=[[], *SECTIONS], metavar="SECTION")
    chosen = parser.parse_args().sections or list(SECTIONS)
    where = environment_of(f"python -m benchmarks {' '.join(chosen)}", seed=0)
    print(f"{where.command}\n{where.machine}, {where.versions}, {where.started}\n")
    with course(chosen) as begin:
        for name in chosen:
            begin(name)
            torch.manual_seed(0)
            print(f"## {name}")
            for line in SECTIONS[name]():
                print(line, flush=True)
            print()


main()
