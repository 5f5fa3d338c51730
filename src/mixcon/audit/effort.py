"""How hard an audit tried, compared with the strongest one there is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mixcon.attacks import Attack, strongest
from mixcon.audit.records import Effort
from mixcon.kinds import Kind

__all__ = ["effort_of"]


def effort_of(
    attacks: Sequence[Attack[Any]], *, inputs: Kind, victims: int, thorough: bool
) -> Effort:
    """What attacks on such inputs leave out of the strongest ones, and what they cut short.

    Args:
        attacks: the attacks before their settings are chosen.
        inputs: what the inputs are.
        victims: how many inputs are attacked.
        thorough: whether settings are chosen.
    """
    run = {attack.name: attack for attack in attacks}
    wanted = strongest(inputs)
    budgets = {own.name: _budget(run.get(own.name), own) for own in wanted}
    return Effort(
        thorough=thorough,
        victims=victims,
        budget=min((budget for budget in budgets.values() if budget is not None), default=0.0),
        missing=[name for name, budget in budgets.items() if budget is None],
    )


def _budget(attack: Attack[Any] | None, default: Attack[Any]) -> float | None:
    """So many times the default's steps; None where an attack has other settings, or is none."""
    if type(attack) is not type(default):
        return None
    ours, usual = attack.settings, default.settings
    steps = [name for name in usual if name.endswith("steps")]
    if any(ours[name] != usual[name] for name in usual if name not in steps):
        return None
    return min((ours[name] / usual[name] for name in steps), default=1.0)
