"""The `mixcon` command. One verb a file; each only reads its options and calls the library."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from mixcon.cli._console import INTERRUPTED, TERMINATED, Terminated, fail, system_problem
from mixcon.cli._verbs import VERBS, VerbGroup
from mixcon.errors import MixconError

__all__ = ["app", "main"]

app = typer.Typer(
    cls=VerbGroup,
    name="mixcon",
    help="Train split networks whose features are hard to invert, and audit how much they leak.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog="Start with: mixcon demo",
)


def _unloaded() -> None:
    """Stand for a verb until it is run."""


for name, verb in VERBS.items():
    app.command(name, help=verb.help)(_unloaded)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"mixcon {version('mixcon')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Take the options of `mixcon` itself."""


def main() -> None:
    """Run the command line; errors that the user can mend end with one message and code 2."""
    try:
        app()
    except SystemExit as end:
        raise _signaled(end) from None
    except MixconError as error:
        fail(str(error))
    except OSError as error:
        fail(system_problem(error))
    except ValueError as error:
        fail(_explained(error))


def _explained(error: ValueError) -> str:
    """What a refused setting of a config is, in words; anything else is a bug, and raised."""
    from pydantic import ValidationError  # noqa: PLC0415  most commands need not import it

    if not isinstance(error, ValidationError):
        raise error
    from mixcon.training import explain  # noqa: PLC0415

    return explain(error)


def _signaled(end: SystemExit) -> SystemExit:
    """The same end, but with the shell's code where Ctrl-C or SIGTERM came outside the work."""
    abort = end.__context__
    if not isinstance(abort, typer.Abort):
        return end
    return SystemExit(TERMINATED if isinstance(abort.__cause__, Terminated) else INTERRUPTED)
