"""Which models are served, in which versions, and who answers a request."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence

from mixcon.errors import ConfigError
from mixcon.serving.contract import Contract
from mixcon.serving.served_model import ServedModel

__all__ = ["Catalog", "check_versions"]


class Catalog:
    """Models by name. Of each, the first version is the default; others are served beside it.

    Args:
        models: at least one; the first of a name is its default.
        canary: share, from 0 to 1, of requests for no version in particular that the newest version
            beside the default answers, where a name has one.

    Raises:
        ConfigError: a version is there twice, or devices of the default could not use the canary.
    """

    def __init__(self, models: Sequence[ServedModel], canary: float = 0.0) -> None:
        self._models = {(m.contract.name, m.contract.version): m for m in models}
        self._defaults: dict[str, ServedModel] = {}
        self._canaries: dict[str, ServedModel] = {}
        self._share = canary
        for model in models:
            default = self._defaults.setdefault(model.contract.name, model)
            if canary and model is not default:
                self._add_canary(default, model)

    def _add_canary(self, default: ServedModel, model: ServedModel) -> None:
        name = model.contract.name
        known = self._canaries.get(name)
        if known is None or known.contract.sequence < model.contract.sequence:
            _check_canary(default.contract, model.contract)
            model.stands_in_for = default.sha256
            self._canaries[name] = model

    def __iter__(self) -> Iterator[ServedModel]:
        return iter(self._models.values())

    @property
    def default(self) -> ServedModel:
        """The first of all."""
        return next(iter(self))

    @property
    def canary_names(self) -> list[str]:
        """Models of which a newer version gets a share."""
        return list(self._canaries)

    def versions(self, name: str) -> dict[str, ServedModel]:
        """Of one model, the default first."""
        return {version: model for (of, version), model in self._models.items() if of == name}

    def find(self, name: str, version: str | None = None) -> ServedModel | None:
        """The version asked for, or the default; None where there is none."""
        return self._models.get((name, version)) if version else self._defaults.get(name)

    def choose(self, name: str, version: str | None = None) -> ServedModel | None:
        """Who answers a request: as `find`, but now and then the canary."""
        canary = None if version else self._canaries.get(name)
        if canary is not None and random.random() < self._share:  # noqa: S311  no secret
            return canary
        return self.find(name, version)

    def start(self) -> None:
        """Begin to answer, in the running event loop."""
        for model in self:
            model.start()

    async def stop(self) -> None:
        """Answer what was taken, then end."""
        await asyncio.gather(*(model.stop() for model in self))


def check_versions(contracts: Sequence[Contract]) -> None:
    """Refuse versions of one name that nobody could tell apart, or that are older than the default.

    Raises:
        ConfigError: there are such.
    """
    defaults: dict[str, Contract] = {}
    seen = set()
    for contract in contracts:
        default = defaults.setdefault(contract.name, contract)
        if contract is not default and contract.sequence <= default.sequence:
            raise ConfigError(
                f"expected the version of {contract.name!r} that stands beside the first to be "
                f"newer than its contract {default.sequence}, but got {contract.sequence}; name "
                "the older one first"
            )
        if (contract.name, contract.version) in seen:
            raise ConfigError(
                f"expected each version of {contract.name!r} once, but got {contract.version} "
                "twice; export the newer one again"
            )
        seen.add((contract.name, contract.version))


def _check_canary(default: Contract, canary: Contract) -> None:
    same = ("encoder_sha256", "representation", "noise", "scales", "logits", "classes")
    other = [field for field in same if getattr(default, field) != getattr(canary, field)]
    if other:
        raise ConfigError(
            f"expected a canary that answers devices of contract {default.sequence} of "
            f"{default.name!r}, with the same encoder and classes, but these differ: "
            f"{', '.join(other)}; serve it beside without --canary: its own devices find it"
        )
