"""A training loop of your own.

`split_model` cuts any network, `defend` puts a defense into it, and the loop adds the penalty of
the defense to its loss. The report of the audit says how much comes back.
"""

import argparse
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from mixcon import Subject, defend, load_data, run_audit, split_model, write_report
from mixcon.attacks import Decoder, strongest
from mixcon.data import Splits
from mixcon.defenses import Batch, Defense
from mixcon.reports import figures_of, verdict
from mixcon.split import SplitModel


def network() -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 5, stride=2), nn.ReLU(), nn.MaxPool2d(2)),  # "2" ends the device's part
        *(nn.Flatten(), nn.Linear(16 * 36, 64), nn.ReLU(), nn.Linear(64, 10)),
    )


def train(model: SplitModel, defense: Defense, data: Splits, epochs: int) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for epoch in range(epochs):
        for x, y in data.train.batches(64, torch.randperm(len(data.train))):
            raw = model.represent(x)
            z = model.channel(raw)
            loss = F.cross_entropy(model.head(z), y) + defense.penalty(Batch(x, y, raw, z))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch + 1}: loss {loss.item():.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("own-loop-report"))
    parser.add_argument("--smoke", action="store_true", help="a few steps, to see that it runs")
    options = parser.parse_args()

    torch.manual_seed(0)
    data = load_data("digits")
    subjects = []
    for text in ("vanilla", "code(bits=8) + unicon(weight=0.3, on=z)"):
        bare = split_model(network(), at="2")
        model, defense = defend(bare, text, data.train.floats(slice(2)))
        train(model, defense, data, epochs=2 if options.smoke else 20)
        subjects.append(Subject(model.eval(), name=text))

    attacks = [Decoder(steps=20)] if options.smoke else strongest("image")
    victims, thorough = (8, False) if options.smoke else (100, True)
    report, gallery = run_audit(subjects, data, attacks, victims=victims, thorough=thorough)
    print(*verdict(figures_of(report)), sep="\n")
    print(f"Report: {write_report(report, gallery, options.out)}")


if __name__ == "__main__":
    main()
