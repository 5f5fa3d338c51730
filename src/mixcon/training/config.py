"""What is trained, and how: everything that decides the weights."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from mixcon.data import Splits, absolute, load, title
from mixcon.defenses import DefenseConfig, DefenseField
from mixcon.errors import ConfigError
from mixcon.registry import packages_in

__all__ = ["TrainConfig", "explain", "read_config", "read_toml"]

M = TypeVar("M", bound=BaseModel)


_RATES = {"sgd": 0.01, "adam": 2e-3, "adamw": 2e-3}  # where the config says nothing

# Run folders from before there was a choice of optimizer hold all of these: it was SGD.
_WRITTEN_BEFORE = {"lr", "momentum", "weight_decay", "milestones", "holdout", "precision"}


class TrainConfig(BaseModel):
    """A training run. The defaults are those that won; `mixcon.training.recipe` has the paper's.

    Attributes:
        data: name of the data set, or ``folder:PATH``; kept with its absolute path.
        resize: side that its images are brought to; they must be of one size without it.
        network: name of the network.
        cut: layer whose output leaves the device; the network's own default if None.
        defense: what is added to training and done to what leaves, as text or `DefenseConfig`.
        start: an undefended run whose network training starts from; kept with its absolute path.
        frozen: whether the encoder stays as it is, and only channel and head learn.
        epochs: passes over the training set; 0 leaves a network of one's own as it is.
        batch_size: samples per step, over all devices together.
        optimizer: sgd, adam or adamw.
        lr: learning rate, the largest of the schedule; 0.01 for sgd, else 0.002, if it is left out.
        schedule: constant, steps, cosine or one-cycle; see `mixcon.training.learning_rate`.
        milestones: epochs after which the learning rate drops to a tenth, for ``steps``.
        momentum: of sgd.
        weight_decay: of the optimizer.
        label_smoothing: of the cross-entropy, in [0, 1).
        ramp: epochs over which the weight of the penalties rises from 0 to what it is.
        augment: none, shift or shift-flip, for images.
        seed: decides initialization, order and noise.
        holdout: share of the training set that is held out and stands in for the test set, so that
            settings can be tuned without a look at the test set.
        precision: as Lightning Fabric names it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str
    resize: int | None = Field(default=None, ge=1, le=4096)
    network: str
    cut: str | None = None
    defense: DefenseField = DefenseConfig()
    start: str | None = None
    frozen: bool = False
    epochs: int = Field(default=8, ge=0)
    batch_size: int = Field(default=64, ge=1)
    optimizer: Literal["sgd", "adam", "adamw"] = "adam"
    lr: float = Field(default=0.0, gt=0, allow_inf_nan=False)
    schedule: Literal["constant", "steps", "cosine", "one-cycle"] = "one-cycle"
    milestones: tuple[int, ...] = ()
    momentum: float = Field(default=0.0, ge=0, lt=1)
    weight_decay: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    ramp: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    augment: str = "none"
    seed: int = Field(default=0, ge=0)
    holdout: float = Field(default=0.0, ge=0, lt=1)
    precision: Literal["32-true", "64-true", "16-mixed", "bf16-mixed"] = "32-true"

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        if "optimizer" not in given and given.keys() >= _WRITTEN_BEFORE:
            schedule = "steps" if given["milestones"] else "constant"
            return {**given, "optimizer": "sgd", "schedule": schedule}
        if given.get("lr") is None:
            default = cls.model_fields["optimizer"].default
            return {**given, "lr": _RATES.get(given.get("optimizer", default), 1.0)}
        return given

    @model_validator(mode="after")
    def _check_combinations(self) -> Self:
        if self.momentum and self.optimizer != "sgd":
            raise ValueError(f"momentum is a setting of sgd, but the optimizer is {self.optimizer}")
        if bool(self.milestones) != (self.schedule == "steps"):
            raise ValueError(
                f"milestones and the schedule 'steps' go together, but got milestones "
                f"{self.milestones} with schedule '{self.schedule}'"
            )
        return self

    @field_validator("data")
    @classmethod
    def _means_the_same_from_anywhere(cls, data: str) -> str:
        return absolute(data)

    @field_validator("start")
    @classmethod
    def _is_found_from_anywhere(cls, start: str | None) -> str | None:
        return start and str(Path(start).absolute())

    @property
    def data_title(self) -> str:
        """What tables and files call the data, without the path of a folder."""
        return title(self.data, self.resize)

    @property
    def packages(self) -> list[str]:
        """Packages of code from outside of mixcon that it names."""
        return packages_in(self.data, self.network, str(self.defense), self.augment)

    def load_data(self, data_dir: Path | None = None) -> Splits:
        """The data, whole; see `mixcon.data.load`."""
        return load(self.data, data_dir=data_dir, seed=self.seed, resize=self.resize)

    def to_toml(self) -> str:
        """The config as TOML, which `read_config` takes back."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))


def read_config(path: Path) -> TrainConfig:
    """A config from a TOML file.

    Raises:
        ConfigError: no such file, not TOML, or settings that are unknown or out of range; all of
            them are named at once.
    """
    return read_toml(path, TrainConfig, "a config file")


def read_toml(path: Path, kind: type[M], what: str) -> M:
    """A record from a TOML file.

    Args:
        path: the file.
        kind: what it holds.
        what: what to call it in errors.

    Raises:
        ConfigError: no such file, not TOML, or settings that are unknown or out of range; all of
            them are named at once.
    """
    try:
        return kind.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(f"{path}: expected {what}, but got {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: expected TOML, but got {error}") from error
    except ValidationError as error:
        raise ConfigError(f"{path}: {explain(error)}") from error


def explain(error: ValidationError) -> str:
    """All settings that are wrong, in one line each."""
    lines = [
        f"{'.'.join(map(str, entry['loc']))}: {entry['msg']}, but got {entry['input']!r}"
        if entry["loc"]
        else entry["msg"].removeprefix("Value error, ")
        for entry in error.errors()
    ]
    return "\n".join(lines)
