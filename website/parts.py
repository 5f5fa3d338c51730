"""Every part that gets a card: what is registered, and the public bounds."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from torch import nn

from mixcon import bounds, metrics
from mixcon.attacks import ATTACKS, strongest
from mixcon.channels import CHANNELS
from mixcon.defenses import DEFENSES, DefenseConfig, LossPenalty, part_kind
from mixcon.kinds import Kind
from mixcon.losses import LOSSES
from mixcon.metrics import METRICS, metric_named
from mixcon.split import Sizes

__all__ = ["KINDS", "Part", "Setting", "parts"]

KINDS = {
    "losses": "Losses",
    "channels": "Channels",
    "defenses": "Defenses of several parts",
    "attacks": "Attacks",
    "bounds": "Bounds",
    "metrics": "Metrics",
}
"""Folder of the cards of a kind, and its title."""

_NAMED = {
    "psim": metrics.psim,
    "recognition": metrics.recognition,
    "reidentification": metrics.reidentify,
}  # measured by a LeakageMeter, which has trained what they need
_LENET = Sizes(inputs=(1, 28, 28), representation=(16, 5, 5), classes=10)


class Setting(NamedTuple):
    """A setting: its default as text, empty if there is none, and what a sweep tries."""

    name: str
    default: str
    search: str = ""


@dataclass(frozen=True)
class Part:
    """What a card is about.

    Attributes:
        kind: one of `KINDS`.
        name: what options and tables call it.
        described: whose docstring says what it is, the most telling first.
        settings: in the order of its signature.
        use: how to name it on the command line or in Python.
        facts: what is known by asking it, label to text.
    """

    kind: str
    name: str
    described: tuple[Any, ...]
    settings: tuple[Setting, ...]
    use: str
    facts: Mapping[str, str]


def parts() -> Iterator[Part]:
    """All of them, kind by kind."""
    for name, loss in LOSSES.items():
        function = inspect.getmodule(loss).__dict__[_function(loss)]
        yield _of_defense("losses", name, (function, LossPenalty))
    for name, channel in CHANNELS.items():
        yield _of_defense("channels", name, (channel,))
    for name, make in DEFENSES.items():
        yield _of_defense("defenses", name, (make,))
    for name, attack in ATTACKS.items():
        yield Part(
            "attacks",
            name,
            (attack,),
            tuple(Setting(f.name, _shown(f.default)) for f in fields(attack)),
            f"mixcon audit RUN --attack {name}",
            _attack_facts(attack),
        )
    for name in bounds.__all__:
        bound = getattr(bounds, name)
        yield Part("bounds", name, (bound,), _arguments(bound), f"mixcon.bounds.{name}", {})
    for name, function in (*((n, m.function) for n, m in METRICS.items()), *_NAMED.items()):
        use = f"mixcon.metrics.{function.__name__}"
        yield Part("metrics", name, (function,), _arguments(function), use, _metric_facts(name))


def _function(loss: type) -> str:
    """The function that a loss is the module of, as its docstring names it."""
    return (inspect.getdoc(loss) or "").split("`")[1]


def _of_defense(kind: str, name: str, described: tuple[Any, ...]) -> Part:
    known = part_kind(name)
    settings = tuple(
        Setting(n, _shown(p.default), "{}; {}".format(*known.search.get(n, ("", ""))).strip("; "))
        for n, p in known.settings.items()
    )
    given = [f"{n}={_middle(known.search[n][0])}" for n in known.settings if n in known.required]
    text = f"{name}({', '.join(given)})" if given else name
    built = DefenseConfig.parse(text).build(_LENET)
    made = (*built.channels, *built.penalties, *built.adversaries)
    others = [type(m) for m in made if type(m) not in described and kind == "defenses"]
    return Part(
        kind, name, (*described, *others), settings, f'--defense "{text}"', _sizes(built, text)
    )


def _sizes(built: Any, text: str) -> dict[str, str]:
    """What a defense weighs on the paper's LeNet-5 for images of 28 x 28 pixels."""
    shape = _LENET.representation
    for channel in built.channels:
        shape = channel.shape(shape)
    before, after = math.prod(_LENET.representation), math.prod(shape)
    receivers = [receiver for c in built.channels if (receiver := c.receiver()) is not None]
    weights = {
        "Weights on the device": _weights(built.channels),
        "Weights in the cloud": _weights(receivers),
        "Weights that learn along, and stay behind": _weights(built.adversaries),
    }
    leaves = {f"Numbers that leave LeNet-5 with `{text}`": f"{after:,} (without: {before:,})"}
    return leaves | {label: f"{count:,}" for label, count in weights.items() if count}


def _weights(modules: Iterable[nn.Module]) -> int:
    return sum(p.numel() for module in modules for p in module.parameters())


def _middle(grid: str) -> str:
    values = grid.split(",")
    return values[len(values) // 2]


def _attack_facts(attack: Any) -> dict[str, str]:
    kinds = [kind for kind in Kind if kind in attack.inputs]
    needs = [attack.needs.access]
    needs += ["samples of its own"] if attack.needs_auxiliary else []
    needs += ["the head"] if attack.needs_head else []
    usual = any(isinstance(a, attack) for kind in kinds for a in strongest(kind))
    return {
        "Access": ", ".join(needs),
        "Inputs": ", ".join(kind.plural for kind in kinds),
        "Run by default": "yes" if usual else "no, name it or take `--attack all`",
    }


def _metric_facts(name: str) -> dict[str, str]:
    metric = metric_named(name)
    kinds = getattr(
        metric, "kinds", frozenset(Kind) if name == "reidentification" else (Kind.IMAGE,)
    )
    low, high = metric.limits
    return {
        "Title": metric.label,
        "Range": f"{low:g} to {high:g}",
        "An exact copy": f"{metric.perfect:g}",
        "More leakage": "higher" if metric.higher_leaks else "lower",
        "Inputs": ", ".join(kind.plural for kind in Kind if kind in kinds),
    }


def _arguments(function: Callable[..., Any]) -> tuple[Setting, ...]:
    found = inspect.signature(function).parameters
    return tuple(Setting(n, _shown(p.default)) for n, p in found.items())


def _shown(default: Any) -> str:
    return "" if default is inspect.Parameter.empty else f"`{default!r}`"
