"""What the paper trains, under the names that its tables use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mixcon.defenses import DefenseConfig, named_defense

__all__ = ["VANILLA", "Setting", "mixcon", "unicon"]


@dataclass(frozen=True)
class Setting:
    """A defense and what the paper's tables call it."""

    title: str
    defense: DefenseConfig


VANILLA = Setting("vanilla", named_defense("vanilla"))


def mixcon(lam: float, beta: float, **options: Any) -> Setting:
    """MixCon (lambda, beta); further options as `MixConLoss` takes them."""
    title = f"MixCon ({lam:g}, {_short(beta)})"
    return Setting(title, named_defense("mixcon", lam=lam, beta=beta, **options))


def unicon(lam: float) -> Setting:
    """UniCon (lambda), the within-class alternative of Appendix D.1."""
    return Setting(f"UniCon ({lam:g})", named_defense("unicon", lam=lam))


def _short(number: float) -> str:
    """0, 0.01 and 1e-4 as the paper prints them."""
    return f"{number:g}" if number == 0 or number >= 0.01 else f"{number:.0e}".replace("e-0", "e-")
