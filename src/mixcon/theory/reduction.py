"""From a formula to a network that is as hard to invert as the formula is to satisfy."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from mixcon.errors import ConfigError
from mixcon.theory.cnf import Cnf

__all__ = ["Form", "ReductionNetwork"]

Form = Literal["compact", "literal"]

_MOST_NEURONS = 20_000_000


class ReductionNetwork(nn.Module):
    """The two-layer ReLU network h_phi of Theorem B.10, and the target z to invert.

    h(x) = W2 relu(W1 x + b) for x in [-1, 1]^n, where x_i = -1 stands for true and 1 for false.
    Output j of the first m is relu(sum of the clause's literals - 2): 1 if no literal of clause j
    holds, 0 if one does. Then come C = 100 B^2 copies of each abs(x_i) = relu(x_i) + relu(-x_i).
    The target is 0 for clauses and 1 for copies, so that h(x) = z if and only if x is in
    {-1, 1}^n and the assignment it stands for satisfies all of phi.

    Two forms have the same distances:

    - *literal*: m + 2 C n hidden neurons and m + C n outputs, as the paper counts them. Only a
      small B fits in memory.
    - *compact*: the C equal outputs of a variable are one, sqrt(C) = 10 B times as large, which
      has the same L2 norm. The factor is in W1, where it keeps the norm of W1 what it was. Any B
      fits, the theorem's 10^7 as well.

    Slips of the paper that are mended here: its copies h_(m + (i-1) C + k) are said to be sums of
    themselves (they are the sum of the two hidden neurons of copy k of variable i, which come
    after the m clauses'); the proof counts T = m + 128 B^2 n outputs (m + 100 B^2 n); the point
    that a satisfying assignment maps to lies in [-1, 1]^n, not in [0, 1]^n.

    A clause of k literals gets the bias 1 - k. The paper's are all 3, and so is the b = -2.

    Args:
        cnf: phi.
        bound: B; None for the least, which is the number of clauses of the most frequent
            variable.
        form: ``"compact"`` or ``"literal"``.
        dtype: of weights and outputs.

    Attributes:
        w1: sparse W1, (hidden, n).
        b: (hidden,).
        w2: sparse W2, (outputs, hidden).
        target: z, (outputs,).

    Raises:
        ConfigError: B is too small for phi, or the form too large for memory.

    Example:
        >>> h = ReductionNetwork(Cnf(3, ((1, 2, 3),)), bound=1, form="literal")
        >>> h.w1.shape, h.w2.shape
        (torch.Size([601, 3]), torch.Size([301, 601]))
        >>> x = h.encode(torch.tensor([[False, True, False]]))
        >>> torch.equal(h(x)[0], h.target)
        True
    """

    w1: Tensor
    b: Tensor
    w2: Tensor
    target: Tensor

    def __init__(
        self,
        cnf: Cnf,
        *,
        bound: int | None = None,
        form: Form = "compact",
        dtype: torch.dtype = torch.float64,
    ) -> None:
        super().__init__()
        self.cnf, self.form = cnf, form
        self.bound = cnf.bound if bound is None else bound
        _check(cnf, self.bound, form)
        m, n = len(cnf.clauses), cnf.variables
        self.copies = 100 * self.bound**2
        rows, scale = (self.copies, 1) if form == "literal" else (1, 10 * self.bound)
        count = rows * n
        widths = torch.tensor([len(clause) for clause in cnf.clauses])
        b = torch.cat([1 - widths, torch.zeros(2 * count, dtype=torch.long)])
        target = torch.cat([torch.zeros(m), torch.full((count,), float(scale))])
        self.register_buffer("w1", _first(cnf, rows, scale).to(dtype), persistent=False)
        self.register_buffer("b", b.to(dtype), persistent=False)
        self.register_buffer("w2", _second(m, count).to(dtype), persistent=False)
        self.register_buffer("target", target.to(dtype), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """h(x), (N, n) to (N, outputs)."""
        hidden = (self.w1 @ x.T + self.b[:, None]).relu()
        return (self.w2 @ hidden).T

    def distance(self, x: Tensor) -> Tensor:
        """||h(x) - z||_2 of each x, (N, n) to (N,)."""
        return (self.forward(x) - self.target).square().sum(1).sqrt()

    def encode(self, assignments: Tensor) -> Tensor:
        """The corners that assignments stand for, bool (N, n) to {-1, 1}."""
        return torch.where(assignments, -1.0, 1.0).to(self.b)

    def decode(self, x: Tensor) -> Tensor:
        """The assignments of the nearest corners, (N, n) to bool; 0 goes to 1, which is false."""
        return x < 0

    @property
    def stated_outputs(self) -> int:
        """m2 = m + 100 B^2 n of the theorem, also in the compact form."""
        return len(self.cnf.clauses) + self.copies * self.cnf.variables


def _check(cnf: Cnf, bound: int, form: Form) -> None:
    if form not in get_args(Form):
        raise ConfigError(f"expected form 'compact' or 'literal', but got {form!r}")
    if bound < cnf.bound:
        raise ConfigError(
            f"expected B >= {cnf.bound}, the most clauses that one variable is in, but got {bound}"
        )
    hidden = len(cnf.clauses) + 2 * cnf.variables * (100 * bound**2 if form == "literal" else 1)
    if hidden > _MOST_NEURONS:
        raise ConfigError(
            f"expected at most {_MOST_NEURONS} hidden neurons, but the {form} form has {hidden}; "
            f"the compact form has {len(cnf.clauses) + 2 * cnf.variables}"
        )


def _first(cnf: Cnf, rows: int, scale: int) -> Tensor:
    """W1: a row a clause, then all copies of x_i, then all of -x_i."""
    m, count = len(cnf.clauses), rows * cnf.variables
    widths = torch.tensor([len(clause) for clause in cnf.clauses])
    literals = torch.tensor([literal for clause in cnf.clauses for literal in clause])
    variable = torch.arange(cnf.variables).repeat_interleave(rows)
    row = torch.cat([torch.arange(m).repeat_interleave(widths), torch.arange(m, m + 2 * count)])
    column = torch.cat([literals.abs() - 1, variable, variable])
    ends = torch.full((count,), scale)
    value = torch.cat([literals.sign(), ends, -ends])
    return _sparse(row, column, value, (m + 2 * count, cnf.variables))


def _second(m: int, count: int) -> Tensor:
    """W2: clauses are handed on, relu(x_i) and relu(-x_i) of each copy are added."""
    outputs = m + count
    row = torch.cat([torch.arange(outputs), torch.arange(m, outputs)])
    column = torch.arange(outputs + count)
    return _sparse(row, column, torch.ones(len(row)), (outputs, outputs + count))


def _sparse(row: Tensor, column: Tensor, value: Tensor, size: tuple[int, int]) -> Tensor:
    index = torch.stack([row, column])
    return torch.sparse_coo_tensor(index, value, size, check_invariants=True).coalesce()
