"""The hardness of inversion (paper, section 3.1 and appendix B), as running code."""

from mixcon.theory.approximation import solution_epsilon, value_epsilon
from mixcon.theory.cnf import Cnf
from mixcon.theory.dimacs import dimacs, parse_dimacs, read_dimacs
from mixcon.theory.lipschitz import lipschitz_bounds, spectral_norm, stated_lipschitz_bound
from mixcon.theory.random_e3sat import random_e3sat
from mixcon.theory.reduction import ReductionNetwork
from mixcon.theory.solver import Solved, satisfying_assignments, solve
from mixcon.theory.soundness import (
    guaranteed_fraction,
    holds_as_stated,
    rounding_loss,
    stated_distance,
    stated_fraction,
    unsatisfied_bound,
)

__all__ = [
    "Cnf",
    "ReductionNetwork",
    "Solved",
    "dimacs",
    "guaranteed_fraction",
    "holds_as_stated",
    "lipschitz_bounds",
    "parse_dimacs",
    "random_e3sat",
    "read_dimacs",
    "rounding_loss",
    "satisfying_assignments",
    "solution_epsilon",
    "solve",
    "spectral_norm",
    "stated_distance",
    "stated_fraction",
    "stated_lipschitz_bound",
    "unsatisfied_bound",
    "value_epsilon",
]
