"""The verbs by the job they do; each is imported when it is run, for most need torch."""

from __future__ import annotations

import signal
from importlib import import_module
from typing import Any, NamedTuple

import typer
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from mixcon import _start
from mixcon._extras import check_extra, named_extra
from mixcon.cli._console import terminate

__all__ = ["VERBS", "Verb", "VerbGroup"]


class Verb(NamedTuple):
    """What is known of a verb without importing it.

    Attributes:
        job: what it helps with.
        help: one line.
        extra: of the installation, that it needs; none if empty.
    """

    job: str
    help: str
    extra: str = "train"


VERBS = {
    "demo": Verb("Start", "Train, attack and report in a minute, offline."),
    "show": Verb("Start", "Draw a digit, and see what the cloud makes of it.", "serve"),
    "doctor": Verb("Start", "Check installation, devices, data and extras.", ""),
    "cuts": Verb("Train, audit", "List where a network can be cut, and what it costs."),
    "train": Verb("Train, audit", "Train a split model, with or without a defense."),
    "adapt": Verb("Train, audit", "Defend a network that is trained already."),
    "audit": Verb("Train, audit", "Attack models, and report how much comes back."),
    "sweep": Verb("Search", "Search for the front of accuracy and leakage."),
    "tune": Verb("Search", "Find the best config within a limit."),
    "export": Verb("Deploy", "Write the halves for device and cloud, signed.", "serve"),
    "serve": Verb("Deploy", "Serve the head in the cloud.", "cloud"),
    "infer": Verb("Deploy", "Classify on the device; only z is sent.", "edge"),
    "reproduce": Verb("Compare", "Reproduce the tables and figures of the paper."),
    "leaderboard": Verb("Compare", "Add, check and list audited defenses."),
    "theory": Verb("Compare", "Build and invert the networks of the theorem."),
}
"""A verb is a file of its name beside this one, which defines it, and a line here."""


class VerbGroup(TyperGroup):
    """The command `mixcon`: lists `VERBS`, and imports the one that is run."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """On one screen of 80 x 24, by job."""
        console = Console(highlight=False)
        console.print(f"Usage: {ctx.command_path} VERB [OPTIONS]\n\n{self.help}\n")
        table = Table.grid(padding=(0, 2))
        last = ""
        for name, verb in VERBS.items():
            table.add_row("" if verb.job == last else verb.job, f"[bold cyan]{name}[/]", verb.help)
            last = verb.job
        console.print(table)
        console.print(
            f"\n{ctx.command_path} VERB --help teaches a verb; --version; --install-completion.\n"
            f"{self.epilog}"
        )

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """As typer does, with the verb itself in place of what stands for it."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, found and _load(str(name)), rest


def _load(name: str) -> Any:
    if VERBS[name].extra:
        check_extra(VERBS[name].extra)
    with named_extra():
        verb = getattr(import_module(f"mixcon.cli.{name}"), name)
    _start.leave_signals_to_the_verb()
    if _start.IS_COMMAND and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, terminate)
    if isinstance(verb, typer.Typer):
        return typer.main.get_command(verb)
    alone = typer.Typer(add_completion=False)
    alone.command(name)(verb)
    return typer.main.get_command(alone)
