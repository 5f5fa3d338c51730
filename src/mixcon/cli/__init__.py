"""The `mixcon` command. One verb a file; each only reads its options and calls the library."""

from __future__ import annotations

import signal
import sys

import click
import typer
from pydantic import ValidationError

from mixcon import _start
from mixcon.cli._console import (
    INTERRUPTED,
    TERMINATED,
    Terminated,
    console,
    system_problem,
    terminate,
)
from mixcon.cli.adapt import adapt
from mixcon.cli.audit import audit
from mixcon.cli.cuts import cuts
from mixcon.cli.demo import demo
from mixcon.cli.export import export
from mixcon.cli.infer import infer
from mixcon.cli.leaderboard import leaderboard
from mixcon.cli.reproduce import reproduce
from mixcon.cli.serve import serve
from mixcon.cli.show import show
from mixcon.cli.sweep import sweep
from mixcon.cli.theory import theory
from mixcon.cli.train import train
from mixcon.cli.tune import tune
from mixcon.errors import MixconError
from mixcon.training import explain

__all__ = ["app", "main"]

app = typer.Typer(
    name="mixcon",
    help="Train split networks whose features are hard to invert, and audit how much they leak.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog="Start with: mixcon demo",
)
for verb in (
    demo, show, cuts, train, adapt, audit, sweep, tune, reproduce, theory, export, serve, infer,
):  # fmt: skip
    app.command()(verb)
app.add_typer(leaderboard, name="leaderboard")


def main() -> None:
    """Run the command line; errors that the user can mend end with one message and code 2."""
    _start.leave_signals_to_the_verb()
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, terminate)
    try:
        app()
    except SystemExit as end:
        raise _signaled(end) from None
    except ValidationError as error:
        _fail(explain(error))
    except MixconError as error:
        _fail(str(error))
    except OSError as error:
        _fail(system_problem(error))


def _signaled(end: SystemExit) -> SystemExit:
    """The same end, but with the shell's code where Ctrl-C or SIGTERM came outside the work."""
    abort = end.__context__
    if not isinstance(abort, click.Abort):
        return end
    return SystemExit(TERMINATED if isinstance(abort.__cause__, Terminated) else INTERRUPTED)


def _fail(message: str) -> None:
    console.print("[red]error:[/red] ", end="")
    console.print(message, markup=False, highlight=False, soft_wrap=True)
    sys.exit(2)
