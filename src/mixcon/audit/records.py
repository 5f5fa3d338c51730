"""What an audit hands on: frozen records. `mixcon.reports` turns them into tables and HTML."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from mixcon.kinds import Kind

__all__ = [
    "AttackRecord",
    "BitsRecord",
    "BoundRecord",
    "Effort",
    "Environment",
    "Gallery",
    "GuessRecord",
    "MaskingRecord",
    "ModelRecord",
    "Report",
    "SaturationRecord",
    "SeparabilityRecord",
]


class _Record(BaseModel):
    """A frozen, closed record: unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SeparabilityRecord(_Record):
    """Distances between representations (Definition 3.1), all Euclidean.

    Attributes:
        minimum: delta_h, the smallest distance over all pairs.
        maximum: Delta_H, the largest distance over the pairs that the loss pulls together.
        mean: mean distance over all pairs.
        normalized: whether each representation was scaled to unit L2 norm first.
        count: number of representations measured.
    """

    minimum: float
    maximum: float
    mean: float
    normalized: bool
    count: int


class AttackRecord(_Record):
    """What one attack got back from one model.

    Attributes:
        attack: name of the attack, e.g. ``rmle-paper``.
        access: what the attacker may use: ``white-box``, ``query`` or ``query-free``.
        settings: the attack's hyper-parameters.
        seconds: wall time of the attack over all images.
        leakage: metric name to one value per attacked image, in the order of the gallery.
        auxiliary: metric name to the mean over auxiliary samples, by which the attacker chooses
            among attacks; empty where it was not measured. That of the headline is over more of
            them where the first left several attacks near the best, see `audit.choice`. That of a
            re-identification is the reciprocal rank.
    """

    attack: str
    access: str
    settings: dict[str, float | int | str | bool | None]
    seconds: float
    leakage: dict[str, list[float]]
    auxiliary: dict[str, float] = Field(default_factory=dict)


class GuessRecord(_Record):
    """A guess from the class alone, which the prediction gives away anyway: no part of z is used.

    Attributes:
        guess: name, e.g. ``class-ssim``, the image of the class that is best for expected SSIM.
        leakage: metric name to one value per attacked image.
        auxiliary: metric name to the mean over auxiliary samples, by which a guesser chooses; of
            a re-identification the reciprocal rank.
    """

    guess: str
    leakage: dict[str, list[float]]
    auxiliary: dict[str, float] = Field(default_factory=dict)


class SaturationRecord(_Record):
    """Whether stronger attacks are to be expected.

    Attributes:
        doubling: by how much the mean of the best single attack rose when its steps were doubled,
            from half of its budget to all of it; None where it has no steps.
        families: difference between the best attack and the best of another family; None where
            there is none.
        saturated: both are at most 0.01. All are shares of the way to an exact copy, from 0 in a
            similarity, from what a guess gets in an error.
    """

    doubling: float | None
    families: float | None
    saturated: bool


class SecretRecord(_Record):
    """How well an attribute of the inputs, which is no task of the model, is read from z.

    Attributes:
        name: of the attribute.
        values: how many it has.
        inputs: test samples that it was read from.
        accuracy: share of them that a probe reads rightly, in [0, 1].
        interval: its 95 % bootstrap interval.
        blind: the same of the best guess without z.
        from_class: the same of the best guess from the class that the head sees.
        most: what no attacker exceeds, by maximal leakage or mutual information, whichever says
            more; 1 where there is no bound.
        entropy: bits that the attribute has on these samples; None in reports from before.
        bits: the most of them that z can tell; None where there is no bound.
    """

    name: str
    values: int
    inputs: int
    accuracy: float
    interval: tuple[float, float]
    blind: float
    from_class: float
    most: float
    entropy: float | None = None
    bits: float | None = None

    @property
    def guessed(self) -> float:
        """What the better of the two guesses gets."""
        return max(self.blind, self.from_class)

    @property
    def failed(self) -> bool:
        """Whether the probe reads less than a guess gets, by more than chance explains."""
        return self.interval[1] < self.guessed


class BitsRecord(_Record):
    """What is proved of a release, for every attacker; None where there is no bound.

    Attributes:
        maximal_leakage: bits: seeing z multiplies the chance of any guess by at most 2^bits.
        capacity: the most mutual information that the channel carries, in bits.
        mutual_information: a certificate of I(X; Z) from test samples, in bits.
        confidence: probability that the certificate holds.
        cells: how many different z the test samples had; None where z is not discrete.
        cell_inputs: how many test samples that were.
        cell_mse: the least mean squared error that any function of z reaches on them.
        cell_ssim: an estimate of the largest mean SSIM likewise.
        repeats: how often the same input is released.
    """

    maximal_leakage: float | None = None
    capacity: float | None = None
    mutual_information: float | None = None
    confidence: float = 0.99
    cells: int | None = None
    cell_inputs: int | None = None
    cell_mse: float | None = None
    cell_ssim: float | None = None
    repeats: int = 1

    @property
    def information(self) -> float | None:
        """The least of the bounds of mutual information, in bits."""
        found = (self.capacity, self.mutual_information)
        return min((bits for bits in found if bits is not None), default=None)


class Effort(_Record):
    """How hard an audit tried: what decides whether finding little means that there is little.

    Attributes:
        thorough: whether the attacks' settings were chosen on auxiliary samples.
        victims: how many inputs were attacked.
        budget: so many times its default steps the least of the strongest attacks had, of those
            that were run; 0 if none was.
        missing: those of the strongest attacks that were not run with their own settings.
        seconds: how long the audit was allowed to take; None if it was not limited.
        shortened: what it did not do in full, in words.
    """

    thorough: bool
    victims: int
    budget: float
    missing: list[str]
    seconds: float | None = None
    shortened: list[str] = Field(default_factory=list)


class BoundRecord(_Record):
    """What no attacker can undercut, whatever it computes, from Fisher information (dFIL).

    Attributes:
        vacuous: whether nothing can be said: no noise, or a channel that the bound does not cover.
        mse: mean over the images of the least mean squared error of unbiased attackers; None if
            vacuous.
        neighborhood_mse: the least mean squared error of any attacker, biased or not, on inputs
            moved within a quarter of the box; None if vacuous, or where inputs have no box.
    """

    vacuous: bool
    mse: float | None
    neighborhood_mse: float | None = None


class MaskingRecord(_Record):
    """A sign that a defense hides gradients and not information, looked for in one way.

    Attributes:
        sign: what it is, in words.
        found: whether it shows.
        weaker: mean similarity (SSIM of images, cosine of sequences) of the attack that it would
            hold back.
        stronger: that of the one that it would not.
    """

    sign: str
    found: bool
    weaker: float
    stronger: float


class ModelRecord(_Record):
    """One split model under audit.

    Attributes:
        name: what to call it in tables, e.g. ``mixcon(weight=1, beta=0.0001)``.
        data: name of the data set.
        kind: what its samples are; None in reports from before it was recorded.
        network: name of the network.
        cut: the layer whose output leaves the device.
        accuracy: share of test images classified correctly, in [0, 1], channel included.
        test_images: how many test images the accuracy was measured on.
        numbers_sent: how many numbers cross the wire per image.
        before: separability before training; None where it was not recorded.
        after: separability of the trained model.
        floors: what an attacker without z gets: floor name (``global-mean``, ``class-mean``) to
            metric name to one value per attacked image.
        guesses: what guesses from the class alone get, as many as there are attacks or more; empty
            in reports from before there were several, whose floor is ``class-mean``.
        attacks: one record per attack.
        saturation: whether stronger attacks are to be expected; None where it was not looked at.
        bits: what is proved; None where it was not computed.
        bound: what no unbiased attacker can undercut; None where it was not computed.
        masking: signs of gradient masking; empty where `rmle` was not run, and for vectors.
        label_leakage: share of victims whose class a probe reads from z; the head reads it too.
        secrets: what z tells of the attributes that were asked for.
        defense: what it has in common with models of other seeds; empty if it stands alone.
        seed: the seed that trained it; None if unknown.
        weights: `fingerprint` of the audited weights; empty in reports from before they had one.
        chance: the accuracy that a guess reaches with luck on these test images, see
            `mixcon.metrics.chance_level`; None in reports from before it was recorded.
        effort: how hard it was attacked; None likewise.
    """

    name: str
    data: str
    network: str
    cut: str
    accuracy: float
    test_images: int
    numbers_sent: int
    before: SeparabilityRecord | None
    after: SeparabilityRecord
    floors: dict[str, dict[str, list[float]]]
    guesses: list[GuessRecord] = Field(default_factory=list)
    attacks: list[AttackRecord]
    saturation: SaturationRecord | None = None
    bits: BitsRecord | None = None
    bound: BoundRecord | None = None
    masking: list[MaskingRecord] = Field(default_factory=list)
    label_leakage: float | None = None
    secrets: list[SecretRecord] = Field(default_factory=list)
    defense: str = ""
    seed: int | None = None
    weights: str = ""
    chance: float | None = None
    effort: Effort | None = None
    kind: Kind | None = None


class Environment(_Record):
    """Where and how the figures were measured.

    Attributes:
        command: the command line that measures them again.
        seed: the seed they start from.
        machine: processor, cores and accelerator, in words.
        versions: package name to version.
        started: UTC start time, ISO 8601.
    """

    command: str
    seed: int
    machine: str
    versions: dict[str, str]
    started: str


class Report(_Record):
    """Several models, the same victims, the same attacks.

    Attributes:
        schema_version: raised when the meaning of a field changes.
        title: one line.
        environment: where and how it was measured.
        threat_model: what the attacker is assumed to know, one sentence each.
        models: one record per model, the undefended one first.
        calibration: devices of which the right excess is known, attacked alike: one that sends a
            constant (0), one that sends its predicted label alone (0), one that sends x (1).
        notes: metric name to how it is to be read in this report.
        ceiling: metric name to the mean score of an exact copy.
    """

    schema_version: int = 4
    title: str
    environment: Environment
    threat_model: list[str] = Field(default_factory=list)
    models: list[ModelRecord]
    calibration: list[ModelRecord] = Field(default_factory=list)
    notes: dict[str, str] = Field(default_factory=dict)
    ceiling: dict[str, float] = Field(default_factory=dict)


@dataclass(frozen=True)
class Gallery:
    """The victims of a report, and what each attack made of them.

    Attributes:
        originals: attacked inputs, (N, *shape); images in [0, 1].
        labels: their true class, (N,).
        classes: class names.
        reconstructions: model name to attack name to (N, *shape).
        vocabulary: of texts, what each token reads.
    """

    originals: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    reconstructions: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    vocabulary: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        """What the victims are."""
        return Kind.TEXT if self.vocabulary else Kind.of(self.originals.shape[1:])
