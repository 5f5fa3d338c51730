"""The strongest attack there is: all that apply, the best of them for each image."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mixcon.attacks.averaged import Averaged
from mixcon.attacks.base import Attack
from mixcon.attacks.decoder import Decoder
from mixcon.attacks.deep_prior import DeepPrior
from mixcon.attacks.gauss_newton import GaussNewton
from mixcon.attacks.generative_prior import GenerativePrior
from mixcon.attacks.posterior import Posterior
from mixcon.attacks.refined import Refined
from mixcon.attacks.rmle import Rmle
from mixcon.attacks.rmle_paper import RmlePaper
from mixcon.attacks.rmle_paper_vector import RmlePaperVector
from mixcon.attacks.token_search import TokenSearch
from mixcon.kinds import Kind

__all__ = ["strongest"]

_MEMBERS: tuple[type[Attack[Any]], ...] = (
    RmlePaper,
    RmlePaperVector,
    Rmle,
    GaussNewton,
    Decoder,
    Posterior,
    Averaged,
    Refined,
    DeepPrior,
    GenerativePrior,
    TokenSearch,
)


def strongest(kind: Kind | str, budget: float = 1.0) -> list[Attack[Any]]:
    """The attacks of an attacker who has the weights and data, and runs whatever there is.

    The optimizers are warm-started by the decoder (`refined`) as well as cold (`rmle`). An audit
    reports the largest leakage over them for each image: what a system must withstand, since it
    cannot know which one will be used. Attackers with less access can do no better.

    Args:
        kind: what the inputs are.
        budget: so many times the steps of each attack's default; the paper's attack keeps its own.
    """
    attacks: Iterable[Attack[Any]] = (each() for each in _MEMBERS if Kind(kind) in each.inputs)
    paper = (RmlePaper, RmlePaperVector)
    return [a if isinstance(a, paper) else a.scaled(budget) for a in attacks]
