"""An audit of 224 x 224 images within a time: `python -m benchmarks.audit_large`.

The images are made here, of smooth noise in the colors of their class, and the network is an
untrained convolutional one: what is measured is time and memory, not leakage.
"""

from __future__ import annotations

import argparse
import time

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks._audit import audited, peak, table
from mixcon.audit import Subject, environment_of
from mixcon.data import LabeledSet, Splits
from mixcon.split import SplitModel

_CLASSES = 5


def images(count: int, size: int, seed: int) -> LabeledSet:
    """Images of smooth noise, each class in a color of its own."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % _CLASSES
    colors = torch.rand(_CLASSES, 3, 1, 1, generator=torch.Generator().manual_seed(0))
    noise = torch.rand(count, 3, 8, 8, generator=generator)
    parts = [F.interpolate(part, (size, size), mode="bilinear") for part in noise.split(50)]
    shades = torch.cat([(255 * part).byte() for part in parts])
    pixels = (0.5 * shades + 127 * colors[labels]).byte()
    names = tuple(f"class {i}" for i in range(_CLASSES))
    return LabeledSet(f"{size} x {size} noise", pixels, labels, names)


def network(size: int) -> SplitModel:
    """Two convolutions on the device, the rest in the cloud."""
    torch.manual_seed(0)
    first = (nn.Conv2d(3, 16, 5, stride=2, padding=2), nn.ReLU(), nn.MaxPool2d(2))
    second = (nn.Conv2d(16, 16, 3, stride=2, padding=1), nn.ReLU())
    head = (nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(256, _CLASSES))
    return SplitModel(nn.Sequential(*first, *second), nn.Sequential(*head)).eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--samples", type=int, default=1500)
    parser.add_argument("--victims", type=int, default=100)
    chosen = parser.parse_args()
    started = time.monotonic()
    where = environment_of("python -m benchmarks.audit_large", seed=0)
    print(f"{where.machine}, {where.versions}, {where.started}", flush=True)
    few = max(chosen.victims + 10, chosen.samples // 5)
    data = Splits(images(chosen.samples, chosen.size, 1), images(few, chosen.size, 2))
    seconds = 60 * chosen.minutes - (time.monotonic() - started)
    subject = Subject(network(chosen.size), name="untrained")
    report, spent = audited(subject, data, victims=chosen.victims, seconds=seconds)
    table(spent)
    print(f"\nran: {', '.join(attack.attack for attack in report.models[0].attacks)}")
    print(f"{(time.monotonic() - started) / 60:.1f} of {chosen.minutes:g} minutes")
    print(f"peak resident memory {peak():.2f} GiB")


if __name__ == "__main__":
    main()
