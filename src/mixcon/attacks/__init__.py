"""Inversion attacks: from what crosses the wire back to the input. One attack a file."""

from typing import Any

from mixcon.attacks.averaged import Averaged
from mixcon.attacks.base import Attack, Auxiliary, Inverter, Knowledge, Query, WhiteBox
from mixcon.attacks.decoder import Decoder
from mixcon.attacks.deep_prior import DeepPrior
from mixcon.attacks.flow_decoder import FlowDecoder
from mixcon.attacks.gan_decoder import GanDecoder
from mixcon.attacks.gauss_newton import GaussNewton
from mixcon.attacks.generative_prior import GenerativePrior
from mixcon.attacks.posterior import Posterior
from mixcon.attacks.query import QueryDecoder
from mixcon.attacks.query_free import QueryFree
from mixcon.attacks.refined import Refined
from mixcon.attacks.rmle import Rmle
from mixcon.attacks.rmle_paper import RmlePaper
from mixcon.attacks.rmle_paper_vector import RmlePaperVector
from mixcon.attacks.strongest import strongest
from mixcon.attacks.token_search import TokenSearch
from mixcon.registry import Registry

ATTACKS: Registry[type[Attack[Any]]] = Registry(
    "attacks",
    {
        attack.name: attack
        for attack in (
            RmlePaper,
            RmlePaperVector,
            Rmle,
            GaussNewton,
            Decoder,
            Posterior,
            Averaged,
            Refined,
            FlowDecoder,
            GanDecoder,
            QueryDecoder,
            QueryFree,
            DeepPrior,
            GenerativePrior,
            TokenSearch,
        )
    },
)

__all__ = [
    "ATTACKS",
    "Attack",
    "Auxiliary",
    "Averaged",
    "Decoder",
    "DeepPrior",
    "FlowDecoder",
    "GanDecoder",
    "GaussNewton",
    "GenerativePrior",
    "Inverter",
    "Knowledge",
    "Posterior",
    "Query",
    "QueryDecoder",
    "QueryFree",
    "Refined",
    "Rmle",
    "RmlePaper",
    "RmlePaperVector",
    "TokenSearch",
    "WhiteBox",
    "strongest",
]
