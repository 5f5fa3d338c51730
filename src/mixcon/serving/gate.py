"""The gate: no model is served or used whose audit does not show that it hides its inputs."""

from __future__ import annotations

from mixcon.errors import ContractError
from mixcon.serving.contract import Contract

__all__ = ["check_audit", "reservations"]


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


def reservations(contract: Contract) -> str | None:
    """Why nobody knows that this model hides its inputs, in words; None if an audit shows it."""
    if contract.audit is None:
        return "nobody audited this model"
    doubts = contract.audit.flaws
    return f"the audit of this model is no proof: {'; '.join(doubts)}" if doubts else None
