"""Devices of which the right answer is known, attacked like any other: is the audit fair?"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mixcon.attacks import Attack, Auxiliary, Decoder, Posterior, Rmle
from mixcon.kinds import Kind
from mixcon.split import SplitModel

__all__ = ["EXPECTED", "reference_attacks", "reference_devices"]

EXPECTED = {"constant": 0.0, "label": 0.0, "identity": 1.0}
"""Excess leakage that an audit must find on each device."""

_MEMBERS = 20_000  # of the samples that a nearest one is looked for among
_STEPS = 120  # enough to fall from a copy to a guess, which is all that these devices ask for


class NearestMean(nn.Module):
    """Classifies by the nearest class mean of the attacker's own samples: no training."""

    means: Tensor

    def __init__(self, auxiliary: Auxiliary, classes: int) -> None:
        super().__init__()
        own = F.one_hot(auxiliary.labels, classes).T.to(auxiliary.inputs)
        means = own @ auxiliary.inputs.flatten(1) / own.sum(1, keepdim=True).clamp_min(1)
        self.register_buffer("means", means)
        self.scale = nn.Parameter(torch.ones(()))  # so that the model has a device and a type

    def forward(self, x: Tensor) -> Tensor:
        """Logits, (N, classes), of inputs (N, *shape)."""
        logits: Tensor = -torch.cdist(x.flatten(1), self.means) * self.scale
        return logits


class NearestSample(nn.Module):
    """Classifies by the nearest of the attacker's own samples; these themselves all rightly.

    Where the means of classes say little, as of sounds of any phase, the nearest mean would tie the
    label to the sample: the label would tell more of it than its class.
    """

    samples: Tensor
    labels: Tensor

    def __init__(self, auxiliary: Auxiliary, classes: int) -> None:
        super().__init__()
        own, self.classes = auxiliary.take(_MEMBERS), classes
        self.register_buffer("samples", own.inputs.flatten(1))
        self.register_buffer("labels", own.labels)
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        """Logits, (N, classes): minus the distance to the nearest member of each class."""
        away = torch.cdist(x.flatten(1), self.samples)
        farthest = away.amax(1, keepdim=True).expand(-1, self.classes)
        nearest = farthest.scatter_reduce(1, self.labels.expand(len(x), -1), away, "amin")
        logits: Tensor = -nearest * self.scale
        return logits


class Label(nn.Module):
    """The predicted class of an input, as a row with a single one."""

    def __init__(self, classifier: nn.Module) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, x: Tensor) -> Tensor:
        """(N, *shape) to (N, classes)."""
        logits = self.classifier(x)
        return F.one_hot(logits.argmax(1), logits.shape[1]).to(x)


class Constant(nn.Module):
    """The same single number for every input."""

    def __init__(self) -> None:
        super().__init__()
        self.number = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, *shape) to (N, 1)."""
        return self.number.detach().expand(len(x), 1).clone()


class Same(nn.Module):
    """The input itself."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, *shape) to the same."""
        return x.clone()


class Always(nn.Module):
    """The most frequent class, whatever z is."""

    def __init__(self, label: int, classes: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(F.one_hot(torch.tensor(label), classes).float())

    def forward(self, z: Tensor) -> Tensor:
        """(N, 1) to logits (N, classes)."""
        return self.logits.expand(len(z), -1)


def reference_devices(auxiliary: Auxiliary, classes: int) -> dict[str, SplitModel]:
    """Three devices by name: a constant, the predicted label alone, the input itself."""
    common = int(torch.bincount(auxiliary.labels, minlength=classes).argmax())
    images = Kind.IMAGE.fits(auxiliary.inputs.shape[1:])
    classifier = NearestMean if images else NearestSample
    return {
        "constant": SplitModel(Constant(), Always(common, classes)).eval(),
        "label": SplitModel(Label(classifier(auxiliary, classes)), nn.Identity()).eval(),
        "identity": SplitModel(Same(), NearestMean(auxiliary, classes)).eval(),
    }


def reference_attacks(kind: Kind) -> list[Attack[Any]]:
    """One cheap attack of each family."""
    every: tuple[Attack[Any], ...] = (Posterior(), Decoder(steps=_STEPS), Rmle(steps=_STEPS))
    return [attack for attack in every if kind in attack.inputs]
