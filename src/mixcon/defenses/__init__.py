"""Defenses: what is added to training, and done to what leaves the device. One defense a file.

A defense is composed with +, never subclassed from another.
"""

from mixcon.defenses.base import Adversary, Batch, Defense, Penalty
from mixcon.defenses.config import (
    DEFENSES,
    DefenseConfig,
    DefenseField,
    PartKind,
    part_kind,
    part_names,
)
from mixcon.defenses.defend import defend
from mixcon.defenses.grammar import Part, split_outside
from mixcon.defenses.loss_penalty import LossPenalty

__all__ = [
    "DEFENSES",
    "Adversary",
    "Batch",
    "Defense",
    "DefenseConfig",
    "DefenseField",
    "LossPenalty",
    "Part",
    "PartKind",
    "Penalty",
    "defend",
    "part_kind",
    "part_names",
    "split_outside",
]
