"""How much of a long work is done: a plan of its parts, each weighed by the time it should take."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

__all__ = ["Plan"]

Part = TypeVar("Part", bound=Hashable)


class Plan(Generic[Part]):
    """The parts of a work in order.

    Args:
        weights: part to the seconds that it is likely to take, at least 0.

    Example:
        >>> plan = Plan({"training": 30.0, "audit": 10.0})
        >>> plan.report("training", 0.5)
        0.375
        >>> plan.begin("audit")
        0.75
    """

    def __init__(self, weights: Mapping[Part, float]) -> None:
        self._weights = dict(weights)
        self._shares = dict.fromkeys(weights, 0.0)
        self._done = 0.0

    def begin(self, part: Part, weight: float | None = None) -> float:
        """Say that a part begins: all before it count as done, also where they were skipped.

        Args:
            part: one of the plan.
            weight: its weight, now that more is known of it.

        Returns:
            As `report`.
        """
        if weight is not None:
            self._weights[part] = weight
        order = list(self._weights)
        self._shares.update(dict.fromkeys(order[: order.index(part)], 1.0))
        return self.report(part, self._shares[part])

    def report(self, part: Part, share: float) -> float:
        """Say which share of a part is done, in [0, 1].

        Returns:
            The share of the whole that is done, in [0, 1]; it never falls.
        """
        self._shares[part] = share
        whole = sum(self._weights.values()) or 1.0
        done = sum(self._weights[each] * self._shares[each] for each in self._weights) / whole
        self._done = min(1.0, max(self._done, done))
        return self._done
