"""What the paper trains, under the names that its tables use."""

from __future__ import annotations

from dataclasses import dataclass

from mixcon.defenses import DefenseConfig, Part

__all__ = ["VANILLA", "Setting", "mixcon", "unicon"]


@dataclass(frozen=True)
class Setting:
    """A defense and what the paper's tables call it."""

    title: str
    defense: DefenseConfig


VANILLA = Setting("vanilla", DefenseConfig())


def mixcon(weight: float, beta: float, **options: float | str | bool) -> Setting:
    """MixCon (lambda, beta); further options as `MixConLoss` takes them."""
    part = Part("mixcon", {"weight": weight, "beta": beta, **options})
    return Setting(f"MixCon ({weight:g}, {_short(beta)})", DefenseConfig((part,)))


def unicon(weight: float) -> Setting:
    """UniCon (lambda), the within-class alternative of Appendix D.1."""
    return Setting(f"UniCon ({weight:g})", DefenseConfig((Part("unicon", {"weight": weight}),)))


def _short(number: float) -> str:
    """0, 0.01 and 1e-4 as the paper prints them."""
    return f"{number:g}" if number == 0 or number >= 0.01 else f"{number:.0e}".replace("e-0", "e-")
