"""The `mixcon` command. One verb a file; each only reads its options and calls the library."""

from __future__ import annotations

import sys

import typer
from pydantic import ValidationError

from mixcon.cli._console import console
from mixcon.cli.audit import audit
from mixcon.cli.demo import demo
from mixcon.cli.export import export
from mixcon.cli.infer import infer
from mixcon.cli.reproduce import reproduce
from mixcon.cli.serve import serve
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
for verb in (demo, train, audit, sweep, tune, reproduce, theory, export, serve, infer):
    app.command()(verb)


def main() -> None:
    """Run the command line; errors of the user's making end with one message and code 2."""
    try:
        app()
    except ValidationError as error:
        _fail(explain(error))
    except MixconError as error:
        _fail(str(error))


def _fail(message: str) -> None:
    console.print("[red]error:[/red] ", end="")
    console.print(message, markup=False, highlight=False, soft_wrap=True)
    sys.exit(2)
