"""How many bits of a user leave the device in a day, by what is proved of one release."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, date, datetime

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from mixcon._files import write_whole
from mixcon.errors import BudgetError, ConfigError, ContractError
from mixcon.serving.contract import Contract, sha256
from mixcon.serving.device_state import remembered
from mixcon.serving.wire import Floats

__all__ = ["AnswerCache", "BitBudget"]

_ANSWERS = 10_000  # that a cache keeps, of a few hundred bytes each


class BitBudget:
    """Counts the bits that releases may tell of each user, and refuses what would be too many.

    Maximal leakage adds up over releases (Issa, Wagner and Kamath, IEEE Transactions on Information
    Theory, 2020), so a day's releases of one user multiply the chance of any guess about them by at
    most 2^limit. What was spent is remembered on the device, for today (UTC) alone; users appear
    there as hashes. An input that is not answered counts, for it may have been seen.

    Args:
        contract: whose audit proves the bits of one release.
        key: that signed it.
        limit: bits of a user in a day.
        today: tells the day.

    Raises:
        ConfigError: the limit is no finite number above 0.
        ContractError: nothing is proved of the model.
    """

    def __init__(
        self,
        contract: Contract,
        key: Ed25519PublicKey,
        limit: float,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        if not (math.isfinite(limit) and limit > 0):
            raise ConfigError(f"expected a number of bits above 0, such as 800, but got {limit}")
        bits = contract.audit.maximal_leakage if contract.audit else None
        if bits is None:
            raise ContractError(
                "expected a model of whose release a number of bits is proved (--max-bits-per-day),"
                " but nothing is; take one with a defense that has a bound, and audit it"
            )
        self.bits, self.limit = bits, limit
        self._contract, self._key, self._today = contract, key, today

    def spend(self, releases: int, user: str = "") -> None:
        """Count releases of a user before they are sent.

        Raises:
            BudgetError: they would be too many today; none is counted.
            ContractError: what was spent can be neither read nor written.
        """
        with remembered("spent", self._contract.name, self._key) as (path, state):
            day, who = self._today().isoformat(), sha256(user.encode())[:16]
            spent = state["bits"] if state.get("day") == day else {}
            before = float(spent.get(who, 0.0))
            more = releases * self.bits
            if before + more > self.limit:
                raise BudgetError(
                    f"expected at most {self.limit:g} bits of a user in a day "
                    f"(--max-bits-per-day), but {before:g} were sent today and {releases} more "
                    f"inputs would tell {more:g}; ask for fewer, or wait for tomorrow (UTC)"
                )
            content = {"day": day, "bits": {**spent, who: before + more}}
            write_whole(path, json.dumps(content))


class AnswerCache:
    """Answers to inputs that were asked before, so that noise is not drawn again for them.

    Noise averages out over releases of one input; an answer that is already here costs nothing.
    """

    def __init__(self) -> None:
        self._answers: dict[str, Floats] = {}

    def answer(self, inputs: Floats, ask: Callable[[Floats], Floats]) -> Floats:
        """Logits of inputs (N, *shape), N >= 1, of which only what is new is asked, and once.

        Args:
            inputs: checked.
            ask: gives the logits of new ones, (M, *shape) with 1 <= M <= N.
        """
        keys = [sha256(each.tobytes()) for each in inputs]
        first = dict(zip(reversed(keys), reversed(range(len(keys))), strict=True))
        new = {key: place for key, place in first.items() if key not in self._answers}
        if new:
            asked = ask(inputs[list(new.values())])
            self._answers |= dict(zip(new, asked, strict=True))
        found = np.stack([self._answers[key] for key in keys])
        for key in list(self._answers)[:-_ANSWERS]:
            del self._answers[key]
        return found
