"""What is trained, and how: everything that decides the weights."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal, TypeVar

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from mixcon.data import Splits, absolute, load, title
from mixcon.defenses import DefenseConfig
from mixcon.errors import ConfigError

__all__ = ["TrainConfig", "explain", "read_config", "read_toml"]

M = TypeVar("M", bound=BaseModel)


class TrainConfig(BaseModel):
    """A training run. The defaults are the paper's for LeNet-5 (section 4.3).

    Attributes:
        data: name of the data set, or ``folder:PATH``; kept with its absolute path.
        resize: side that its images are brought to; they must be of one size without it.
        network: name of the network.
        cut: layer whose output leaves the device; the network's own default if None.
        defense: losses and channels.
        epochs: passes over the training set.
        batch_size: images per step, over all devices together.
        lr: learning rate of SGD.
        momentum: momentum of SGD.
        weight_decay: weight decay of SGD.
        milestones: epochs after which the learning rate drops to a tenth.
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
    defense: DefenseConfig = DefenseConfig()
    epochs: int = Field(default=20, ge=1)
    batch_size: int = Field(default=64, ge=1)
    lr: float = Field(default=0.01, gt=0, allow_inf_nan=False)
    momentum: float = Field(default=0.0, ge=0, lt=1)
    weight_decay: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    milestones: tuple[int, ...] = ()
    seed: int = Field(default=0, ge=0)
    holdout: float = Field(default=0.0, ge=0, lt=1)
    precision: Literal["32-true", "64-true", "16-mixed", "bf16-mixed"] = "32-true"

    @field_validator("data")
    @classmethod
    def _means_the_same_from_anywhere(cls, data: str) -> str:
        return absolute(data)

    @property
    def data_title(self) -> str:
        """What tables and files call the data, without the path of a folder."""
        return title(self.data, self.resize)

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
        for entry in error.errors()
    ]
    return "\n".join(lines)
