"""Separability losses: what is added to the cross-entropy to make features harder to invert."""

from mixcon.losses.barriers import BARRIERS, Barrier
from mixcon.losses.base import SeparabilityLoss
from mixcon.losses.distance_correlation import DistanceCorrelationLoss, distance_correlation
from mixcon.losses.mixcon import MixConLoss, mixcon_loss
from mixcon.losses.unicon import UniConLoss, unicon_loss
from mixcon.registry import Registry

LOSSES: Registry[type[SeparabilityLoss]] = Registry(
    "losses",
    {
        "mixcon": MixConLoss,
        "unicon": UniConLoss,
        "nopeek": DistanceCorrelationLoss,
    },
)

__all__ = [
    "BARRIERS",
    "LOSSES",
    "Barrier",
    "DistanceCorrelationLoss",
    "MixConLoss",
    "SeparabilityLoss",
    "UniConLoss",
    "distance_correlation",
    "mixcon_loss",
    "unicon_loss",
]
