"""A made-up census: who earns much, of columns that people would rather keep to themselves."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mixcon.data.labeled import Attribute, LabeledSet, Splits

__all__ = ["census"]

_SIZES = (6000, 2000)
_SEX, _MARRIED = ("female", "male"), ("no", "yes")
_JOBS = ("crafts", "service", "sales", "office", "profession")
_REGIONS = ("north", "east", "south", "west")


def census(seed: int = 0) -> Splits:
    """6,000 people for training and 2,000 for testing; whether they earn above 50,000 is asked for.

    Made up after the Adult census of the UCI repository (Becker and Kohavi 1996), of which it holds
    no row: nobody's data, of the same kinds of column, and tied together likewise. In order: age,
    years of education, hours a week and the logarithm of capital gains, each with mean 0 and
    deviation 1 over the training rows; then sex, married, and one column for each of five jobs and
    four regions, 0 or 1. Sex, married, job and region are attributes. Income hangs on all but the
    region, so that what a classifier sends has some cause to tell of each.

    Args:
        seed: draws the people.

    Returns:
        Vectors of 15 numbers.
    """
    generator = torch.Generator().manual_seed(seed)
    train, test = (_draw(count, generator) for count in _SIZES)
    deviation, mean = torch.std_mean(train.inputs[:, :4], 0, correction=0)
    for part in (train, test):
        part.inputs[:, :4] = (part.inputs[:, :4] - mean) / deviation
    return Splits(train, test)


def _draw(count: int, generator: torch.Generator) -> LabeledSet:
    def uniform() -> Tensor:
        return torch.rand(count, generator=generator)

    def normal(mean: Tensor | float, deviation: float) -> Tensor:
        return mean + deviation * torch.randn(count, generator=generator)

    def happens(odds: Tensor) -> Tensor:
        return (uniform() < odds.sigmoid()).long()

    age = 18 + 57 * uniform() ** 1.3
    male = happens(torch.zeros(count))
    education = normal(12.5 - (age - 45).clamp_min(0) / 25, 2.5).clamp(6, 20).round()
    married = happens(-1.5 + (age - 25) / 9 - (age - 60).clamp_min(0) / 6)
    pull = torch.stack([1.2 * male - 0.2 * (education - 12), torch.full_like(age, 0.3), 0 * age,
                        0.6 - 0.7 * male, 0.55 * (education - 13)], 1)  # fmt: skip
    job = torch.multinomial(pull.softmax(1), 1, generator=generator).squeeze(1)
    region = torch.randint(len(_REGIONS), (count,), generator=generator)
    hours = normal(37.0 + 4 * male + 2 * (job == 4), 7.0).clamp(8, 80).round()
    lucky = uniform() < 0.08 + 0.01 * (education - 12).clamp_min(0)
    gains = lucky * normal(8.0, 1.0).clamp_min(4)
    worth = torch.tensor([-0.1, -0.8, 0.1, 0.0, 0.7])[job]
    odds = (
        0.4 * (education - 12.5) + 0.06 * (age - 40) - 0.0022 * (age - 48) ** 2
        + 0.06 * (hours - 40) + 0.7 * male + 1.2 * married + worth + 0.35 * gains - 2.4
    )  # fmt: skip
    numbers = torch.stack([age, education, hours, gains], 1)
    flags = torch.cat([male[:, None], married[:, None], F.one_hot(job, 5), F.one_hot(region, 4)], 1)
    return LabeledSet(
        "census",
        torch.cat([numbers, flags.float()], 1),
        happens(1.6 * odds),
        ("less", "more"),
        attributes={
            "sex": Attribute(male, _SEX),
            "married": Attribute(married, _MARRIED),
            "job": Attribute(job, _JOBS),
            "region": Attribute(region, _REGIONS),
        },
    )
