"""mixcon trains split networks whose features are hard to invert, and audits how much they leak."""

from typing import TYPE_CHECKING

from mixcon import _start as _start  # first: it minds Ctrl-C while the others are imported
from mixcon._lazy import lazy

if TYPE_CHECKING:
    from mixcon.audit import Subject, run_audit
    from mixcon.data import load as load_data
    from mixcon.defenses import DefenseConfig, defend
    from mixcon.errors import MixconError
    from mixcon.losses import (
        DistanceCorrelationLoss,
        MixConLoss,
        UniConLoss,
        distance_correlation,
        mixcon_loss,
        unicon_loss,
    )
    from mixcon.metrics import separability
    from mixcon.registry import allow_code
    from mixcon.reports import write_report
    from mixcon.split import SplitModel, split_model
    from mixcon.training import TrainConfig, load_model, train
else:
    __getattr__, __dir__ = lazy(
        __name__,
        {
            "mixcon.audit": ["Subject", "run_audit"],
            "mixcon.data": ["load as load_data"],
            "mixcon.defenses": ["DefenseConfig", "defend"],
            "mixcon.errors": ["MixconError"],
            "mixcon.losses": [
                "DistanceCorrelationLoss",
                "MixConLoss",
                "UniConLoss",
                "distance_correlation",
                "mixcon_loss",
                "unicon_loss",
            ],
            "mixcon.metrics": ["separability"],
            "mixcon.registry": ["allow_code"],
            "mixcon.reports": ["write_report"],
            "mixcon.split": ["SplitModel", "split_model"],
            "mixcon.training": ["TrainConfig", "load_model", "train"],
        },
    )

__all__ = [
    "DefenseConfig",
    "DistanceCorrelationLoss",
    "MixConLoss",
    "MixconError",
    "SplitModel",
    "Subject",
    "TrainConfig",
    "UniConLoss",
    "allow_code",
    "defend",
    "distance_correlation",
    "load_data",
    "load_model",
    "mixcon_loss",
    "run_audit",
    "separability",
    "split_model",
    "train",
    "unicon_loss",
    "write_report",
]
