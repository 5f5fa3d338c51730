"""Tables that come with scikit-learn: real, small, and without a download."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mixcon.data.labeled import Attribute, LabeledSet, Splits

__all__ = ["breast_cancer", "diabetes", "wine"]

_QUARTERS = ("least", "less", "more", "most")
_EVERY = 4  # so many members of a class for one that is for testing


def breast_cancer() -> Splits:
    """569 tumors, malignant or benign, of 30 measures each; see `wine` for columns and parts.

    Source: Street, Wolberg and Mangasarian, Breast Cancer Wisconsin (Diagnostic), CC BY 4.0.
    """
    from sklearn.datasets import load_breast_cancer  # noqa: PLC0415  takes as long as torch

    return _splits("breast_cancer", load_breast_cancer())


def wine() -> Splits:
    """178 wines of three growers, of 13 chemical measures each.

    Every fourth member of a class, in the order of the file, is for testing. Columns have mean 0
    and deviation 1 over the training rows. Each is an attribute, too, by its name with ``_`` for
    spaces: whether it lies above the median of the training rows.

    Source: Aeberhard and Forina, Wine, UCI Machine Learning Repository, CC BY 4.0.
    """
    from sklearn.datasets import load_wine  # noqa: PLC0415

    return _splits("wine", load_wine())


def diabetes() -> Splits:
    """442 patients of 10 measures each: in which quarter the disease's progress lies a year later.

    A regression, asked for in quarters of its target: a device that sends a prediction gives away
    as much as its class says, and floors and losses go by classes. Columns and parts as in `wine`.

    Source: Efron, Hastie, Johnstone and Tibshirani, Annals of Statistics 2004.
    """
    from sklearn.datasets import load_diabetes  # noqa: PLC0415

    bunch = load_diabetes(scaled=False)
    target = torch.tensor(bunch.target)
    ends = target.quantile(torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64))
    bunch.target, bunch.target_names = torch.bucketize(target, ends).numpy(), _QUARTERS
    return _splits("diabetes", bunch)


def _splits(name: str, bunch: Any) -> Splits:
    labels = torch.tensor(bunch.target, dtype=torch.int64)
    testing = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique().tolist():
        testing[(labels == label).nonzero().flatten()[::_EVERY]] = True
    raw = torch.tensor(bunch.data, dtype=torch.float64)
    deviation, mean = torch.std_mean(raw[~testing], 0, correction=0)
    inputs = ((raw - mean) / deviation).float()
    above = inputs > inputs[~testing].median(0).values
    columns = [str(column).replace(" ", "_") for column in bunch.feature_names]
    whole = LabeledSet(
        name,
        inputs,
        labels,
        tuple(map(str, bunch.target_names)),
        attributes={column: _halves(above[:, i]) for i, column in enumerate(columns)},
    )
    return Splits(whole.take(~testing), whole.take(testing))


def _halves(above: Tensor) -> Attribute:
    return Attribute(above.long(), ("low", "high"))
