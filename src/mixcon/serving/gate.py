"""The gate: no model is served or used whose audit does not show that it hides its inputs."""

from __future__ import annotations

import math
from collections.abc import Iterator

from mixcon.errors import ConfigError, ContractError
from mixcon.serving.contract import Contract

__all__ = ["check_audit", "check_bits", "reservations"]


def check_audit(contract: Contract, max_excess: float, way_out: str) -> None:
    """Refuse a model that may leak too much, or of which nobody knows how much.

    The audit must have run all of the strongest attacks with their full steps and chosen settings
    on enough victims, its attacks must not have failed, the model must beat guessing, and the upper
    end of the interval of the excess leakage must not lie above the limit.

    Args:
        contract: whose audit is judged.
        max_excess: largest excess leakage, 0 being no more than the class gives away, 1 an exact
            copy.
        way_out: how to go on without an audit that shows it, in words.

    Raises:
        ContractError: one of these does not hold, or there was no audit.
        ConfigError: the limit is no finite number.
    """
    if contract.audit is None:
        raise ContractError(
            "expected a model with an audit in its contract, but it has none, so nobody knows what "
            f"it leaks; run mixcon audit and export again, or {way_out}"
        )
    objections = contract.audit.objections(max_excess)
    if objections:
        raise ContractError(
            f"expected an audit that shows an excess leakage of at most {max_excess:g} "
            f"(--max-excess), but of this one: {'; '.join(objections)}; run mixcon audit in full "
            f"and export again, serve a better defended model, or {way_out}"
        )


def check_bits(contract: Contract, max_bits: float) -> None:
    """Refuse a model of whose release less is not proved.

    Args:
        contract: whose audit is judged.
        max_bits: largest maximal leakage that may be proved of one release, in bits: seeing it
            multiplies the chance of any guess by at most 2^bits.

    Raises:
        ContractError: more is proved, or nothing.
        ConfigError: the limit is no finite number.
    """
    if not math.isfinite(max_bits):
        raise ConfigError(f"expected a finite number of bits, such as 8, but got {max_bits}")
    audit = contract.audit
    objections = audit.unproved(max_bits) if audit else ("nobody audited it",)
    if objections:
        raise ContractError(
            f"expected a model whose release is proved to tell at most {max_bits:g} bits "
            f"(--max-bits), but {'; '.join(objections)}; take one with a defense that has a bound, "
            "and audit it"
        )


def reservations(contract: Contract) -> str | None:
    """What is not known of this model, in words.

    None if an audit shows that it hides its inputs, and its contract is of today's kind.
    """
    said = [*_doubts(contract)]
    if contract.is_old:
        said.append(
            f"its contract is old (schema version {contract.schema_version}): it has no number, so "
            "that an older one can take its place, and no expiry; export again"
        )
    return "; ".join(said) or None


def _doubts(contract: Contract) -> Iterator[str]:
    if contract.audit is None:
        yield "nobody audited this model"
    elif contract.audit.flaws:
        yield f"the audit of this model is no proof: {'; '.join(contract.audit.flaws)}"
