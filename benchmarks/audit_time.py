"""How long the whole default audit takes: `python -m benchmarks.audit_time`.

LeNet-5 on MNIST after one epoch, 100 victims, an empty cache: seconds of each phase, and the sum
against the goal of 5 minutes on two cores. `--steps 0.01 --victims 10` is a try of the command.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks._audit import audited, peak, table
from mixcon.audit import environment_of, subject_of
from mixcon.data import load
from mixcon.defenses import DefenseConfig
from mixcon.training import TrainConfig, train

_GOAL = 300.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--defense", default="vanilla")
    parser.add_argument("--steps", type=float, default=1.0)
    parser.add_argument("--victims", type=int, default=100)
    chosen = parser.parse_args()
    where = environment_of("python -m benchmarks.audit_time", seed=0)
    print(f"{where.machine}, {where.versions}, {where.started}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        defense = DefenseConfig.parse(chosen.defense)
        config = TrainConfig(data=chosen.data, network="lenet5", defense=defense, epochs=1)
        model = train(config, Path(folder) / "run", accelerator="cpu")
        subject = subject_of(Path(folder) / "run", model)
    _, spent = audited(
        subject, load(chosen.data), victims=chosen.victims, seconds=None, budget=chosen.steps
    )
    table(spent)
    whole = sum(spent.values())
    print(f"\n{whole:.0f} seconds, {whole / _GOAL:.2f} of the goal of {_GOAL:.0f}")
    print(f"peak resident memory {peak():.2f} GiB")


if __name__ == "__main__":
    main()
