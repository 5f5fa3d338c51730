"""Hand-made judgments, whose figures can be worked out on paper."""

from mixcon.audit import AttackRecord, ModelRecord, SeparabilityRecord


def record(ssim, accuracy=0.9):
    """A judgment by one attack: SSIM of each image, over a floor of 0.2."""
    apart = SeparabilityRecord(minimum=0, maximum=1, mean=0.5, normalized=True, count=10)
    attack = AttackRecord(
        attack="a", access="white-box", settings={}, seconds=0, leakage={"ssim": ssim}
    )
    return ModelRecord(
        name="m", data="d", network="n", cut="c", accuracy=accuracy, test_images=100,
        numbers_sent=1, before=None, after=apart, attacks=[attack],
        floors={"class-mean": {"ssim": [0.2] * len(ssim)}},
    )  # fmt: skip
