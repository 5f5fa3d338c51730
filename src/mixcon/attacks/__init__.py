"""Inversion attacks: from what crosses the wire back to the input. One attack a file."""

from mixcon.attacks.base import Attack, Auxiliary, Inverter, Knowledge, Query, WhiteBox
from mixcon.attacks.decoder import Decoder
from mixcon.attacks.query import QueryDecoder
from mixcon.attacks.rmle import Rmle
from mixcon.attacks.rmle_paper import RmlePaper
from mixcon.attacks.rmle_paper_vector import RmlePaperVector

ATTACKS = {
    attack.name: attack for attack in (RmlePaper, RmlePaperVector, Rmle, Decoder, QueryDecoder)
}

__all__ = [
    "ATTACKS",
    "Attack",
    "Auxiliary",
    "Decoder",
    "Inverter",
    "Knowledge",
    "Query",
    "QueryDecoder",
    "Rmle",
    "RmlePaper",
    "RmlePaperVector",
    "WhiteBox",
]
