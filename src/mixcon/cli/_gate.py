"""The gate of `mixcon audit --fail-above`: exit code 1 unless the audit keeps every limit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import typer

from mixcon.attacks import Attack
from mixcon.audit import effort_of
from mixcon.cli._console import say, warn
from mixcon.errors import ConfigError
from mixcon.evidence import Evidence, weaknesses
from mixcon.kinds import Kind
from mixcon.reports import Figures

__all__ = ["Gate"]


@dataclass(frozen=True)
class Gate:
    """Limits that each model of an audit must keep.

    Attributes:
        excess: largest excess leakage that the audit may leave open, see `Evidence.objections`.
        bits: most bits that a release may be proved to tell, see `Evidence.unproved`.
    """

    excess: float | None = None
    bits: float | None = None

    @classmethod
    def of(cls, texts: Iterable[str]) -> Gate:
        """From words such as ``excess=0.3``.

        Raises:
            ConfigError: one is none of these, or a limit is there twice.
        """
        limits: dict[str, float] = {}
        for text in texts:
            name, _, value = text.partition("=")
            if name not in cls.__dataclass_fields__ or not _is_number(value):
                raise ConfigError(
                    f"expected --fail-above excess=NUMBER or bits=NUMBER, but got {text!r}"
                )
            if name in limits:
                raise ConfigError(f"expected one --fail-above {name}=NUMBER, but got two")
            limits[name] = float(value)
        return cls(**limits)

    def warn(
        self, attacks: Sequence[Attack[Any]], kind: Kind, victims: int, *, thorough: bool
    ) -> None:
        """Say before hours of work that the gate cannot open after them."""
        if self.excess is None:
            return
        effort = effort_of(attacks, inputs=kind, victims=victims, thorough=thorough)
        weak = weaknesses(victims, thorough=thorough, budget=effort.budget, missing=effort.missing)
        if reasons := "; ".join(weak):
            warn(f"--fail-above will fail, for this audit can be no proof: {reasons}")

    def judge(self, figures: Figures) -> None:
        """Leave with code 1, and say why, unless the audit of every model keeps the limits."""
        failed = [
            f"--fail-above {limit} fails for {summary.model}: {'; '.join(objections)}"
            for summary in figures.models
            for limit, objections in self._objections(summary.evidence)
            if objections
        ]
        for line in failed:
            say(line)
        if failed:
            raise typer.Exit(1)

    def _objections(self, evidence: Evidence | None) -> Iterator[tuple[str, Sequence[str]]]:
        nothing = ("no attack was run",)
        if self.excess is not None:
            objections = evidence.objections(self.excess) if evidence else nothing
            yield f"excess={self.excess:g}", objections
        if self.bits is not None:
            yield f"bits={self.bits:g}", evidence.unproved(self.bits) if evidence else nothing


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
