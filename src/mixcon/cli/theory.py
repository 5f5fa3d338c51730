"""mixcon theory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Table
from torch import Tensor

from mixcon.cli._console import console, interruptible
from mixcon.paper.inversion import invert_by_gradient
from mixcon.theory import (
    ReductionNetwork,
    guaranteed_fraction,
    holds_as_stated,
    lipschitz_bounds,
    read_dimacs,
    solve,
    stated_distance,
    stated_fraction,
    value_epsilon,
)

__all__ = ["theory"]


def theory(
    file: Annotated[Path, typer.Argument(help="A formula in the DIMACS format.")],
    bound: Annotated[
        int | None,
        typer.Option(min=1, help="B of the theorem [default: clauses of the commonest variable]"),
    ] = None,
    rounds: Annotated[
        int, typer.Option(min=1, help="Batches of 64 random starts for the gradient attack.")
    ] = 4,
    limit: Annotated[float, typer.Option(min=0.01, help="Seconds for the SAT solver.")] = 60.0,
    seed: Annotated[int, typer.Option(help="Draws the starts.")] = 0,
) -> None:
    """Build the network that is as hard to invert as a formula is to satisfy, and invert it.

    The network and its target are those of Theorem B.10. A SAT solver and a gradient attack each
    look for an input that the network maps to the target; only a satisfying assignment is one.

    Example: mixcon theory formula.cnf
    """
    network = ReductionNetwork(read_dimacs(file), bound=bound)
    with interruptible("Nothing was written."):
        _describe(network)
        table = Table("", "CPU (s)", "Distance", "Epsilon", "Satisfied", box=None)
        with console.status("SAT solver"):
            answer = _solve(network, table, limit)
        _attack(network, table, rounds, seed)
    console.print(table)
    console.print(f"\n{answer}\n{_promise(network)}")


def _describe(network: ReductionNetwork) -> None:
    cnf, (low, high) = network.cnf, lipschitz_bounds(network)
    clauses = len(cnf.clauses)
    hidden = clauses + 2 * network.copies * cnf.variables
    console.print(
        f"formula    {cnf.variables:,} variables, {clauses:,} clauses, B = {network.bound:,}\n"
        f"network    {cnf.variables:,} inputs, {hidden:,} hidden neurons, "
        f"{network.stated_outputs:,} outputs; equal copies are kept as one\n"
        f"Lipschitz  at least {low:,.0f}, at most {high:,.0f}; the paper says at most "
        f"{30 * network.bound:,}\n"
    )


def _solve(network: ReductionNetwork, table: Table, limit: float) -> str:
    solved = solve(network.cnf, limit=limit)
    if solved.assignment is None:
        table.add_row("SAT solver", f"{solved.seconds:.3g}", "-", "-", "-")
    else:
        x = network.encode(solved.assignment[None])
        table.add_row("SAT solver", *_outcome(network, x, solved.seconds))
    return {
        True: "Satisfiable: an x with h(x) = z exists.",
        False: "Unsatisfiable: the solver proved that no x has h(x) = z.",
        None: f"Not decided: the solver ran out of its {limit:g} s.",
    }[solved.satisfiable]


def _attack(network: ReductionNetwork, table: Table, rounds: int, seed: int) -> None:
    with Progress(console=console, transient=True) as bars:
        task = bars.add_task("gradient attack", total=1.0)
        found = invert_by_gradient(
            network,
            rounds=rounds,
            seed=seed,
            on_round=lambda share: bars.update(task, completed=share),
        )
    name = f"gradient attack, {found.starts} starts"
    table.add_row(name, *_outcome(network, found.x[None], found.seconds))


def _outcome(network: ReductionNetwork, x: Tensor, seconds: float) -> tuple[str, ...]:
    left = int(network.cnf.unsatisfied(network.decode(x))[0])
    clauses = len(network.cnf.clauses)
    return (
        f"{seconds:.3g}",
        f"{network.distance(x)[0]:.4g}",
        f"{value_epsilon(network, x)[0]:.3g}",
        f"{clauses - left} of {clauses} ({1 - left / clauses:.2%})",
    )


def _promise(network: ReductionNetwork) -> str:
    near = (
        f"Any x within {stated_distance(network):.4g} of the target, which is epsilon = 1/(60 B), "
        f"rounds to an assignment that satisfies at least {guaranteed_fraction(network):.2%} of "
        f"the clauses."
    )
    if not network.cnf.exactly_three:
        return f"{near} (Theorem B.10 itself is about clauses of exactly three literals.)"
    if holds_as_stated(network.bound):
        return f"{near} Theorem B.10 promises {stated_fraction(network.bound):.2%}."
    return f"{near} (Theorem B.10 itself is about B >= 10^7: try --bound 10000000.)"
