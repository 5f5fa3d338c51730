"""What Tables 1 and 2 and Figure 2 share: the synthetic experiment of section 4.2.

The cut is the output of the second layer, before its activation, where distances are not
normalized: Figure 2 shows the collapse to (0, 0). Batches of 10 reproduce the paper's pattern;
the paper does not name their size.
"""

from __future__ import annotations

from mixcon.paper._experiment import SCALES, Scale
from mixcon.paper._settings import VANILLA, Setting, mixcon
from mixcon.training import TrainConfig

__all__ = ["COLLAPSED", "NOTES", "SCALE_TEXT", "SEEDS", "SEPARATED", "SETTINGS", "config"]

SEPARATED = mixcon(0.1, 0.01, normalize=False)
COLLAPSED = mixcon(0.1, 0, normalize=False)
SETTINGS = (VANILLA, SEPARATED, COLLAPSED)

SCALE_TEXT: dict[Scale, str] = {
    "smoke": "2 epochs",
    "small": "the paper's own size: 800 training samples, 20 epochs",
    "full": "the paper's own size: 800 training samples, 20 epochs",
}
SEEDS: dict[Scale, int] = dict(zip(SCALES, (1, 5, 5), strict=True))
NOTES = [
    "PyTorch's default initialization: the paper's N(u, 1) diverges or stays at chance at its own "
    "learning rate.",
    "5 % of the labels are flipped in both parts; the paper does not say whether test labels are. "
    "The best possible test accuracy is then 89.9 %.",
]


def config(setting: Setting, scale: Scale, seed: int, network: str = "mlp") -> TrainConfig:
    """SGD at 0.1 for 20 epochs, on points drawn by the same seed."""
    return TrainConfig(
        data="synthetic",
        network=network,
        defense=setting.defense,
        optimizer="sgd",
        schedule="constant",
        epochs=2 if scale == "smoke" else 20,
        batch_size=10,
        lr=0.1,
        seed=seed,
    )
