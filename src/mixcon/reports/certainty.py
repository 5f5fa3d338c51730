"""What is proved, what is measured, what is not known, and what z tells of secrets."""

from __future__ import annotations

from statistics import fmean

from mixcon.audit import SecretRecord
from mixcon.metrics import metric_named
from mixcon.reports.summary import Summary

__all__ = ["certainty", "told_secret"]


def certainty(summary: Summary) -> list[str]:
    """Three sentences on a model that was attacked."""
    return [
        f"Proved: {_proved(summary)}.",
        f"Measured: {_measured(summary)}.",
        f"Not known: {_unknown(summary)}.",
    ]


def told_secret(model: str, secret: SecretRecord) -> str:
    """One sentence on an attribute that is no task of the model."""
    low, high = secret.interval
    bound = f", and no attacker more than {secret.most:.1%}" if secret.most < 1 else ""
    if secret.failed:
        return (
            f"The probe of the {secret.name} failed on {model}: it reads that of "
            f"{secret.accuracy:.1%} of the inputs, where a guess gets {secret.guessed:.1%}, so it "
            f"is not known what z tells of it{bound}."
        )
    return (
        f"What {model} sends tells a probe the {secret.name} of {secret.accuracy:.1%} "
        f"[{low:.1%}, {high:.1%}] of the inputs{bound}; from the class alone "
        f"{secret.from_class:.1%} are guessed, blindly {secret.blind:.1%}."
    )


def _proved(summary: Summary) -> str:
    bits = summary.bits
    if bits is None:
        return "no bound"
    parts = []
    if bits.maximal_leakage is not None:
        parts.append(
            f"seeing what is sent multiplies the chance of any guess by at most 2^"
            f"{bits.maximal_leakage:.3g}"
        )
    if bits.capacity is not None:
        parts.append(f"the channel carries at most {bits.capacity:.3g} bits")
    if bits.mutual_information is not None:
        parts.append(
            f"what is sent tells at most {bits.mutual_information:.3g} bits, with confidence "
            f"{bits.confidence:g}"
        )
    if bits.cell_mse is not None:
        parts.append(
            f"no attack gets a mean squared error below {bits.cell_mse:.3g} on average over the "
            "test inputs, of which the victims are a part"
        )
    return "; ".join(parts) or "no bound"


def _measured(summary: Summary) -> str:
    found = summary.found
    if found is None:
        return "nothing, for no attack was run"
    scale = metric_named(found.metric)
    by = f"by {found.attack}" if found.attack else "by the strongest attack per image"
    over = f"over the guess {found.guess}" if found.guess else "over the class mean"
    ends = f" [{found.interval[0]:z.2f}, {found.interval[1]:z.2f}]" if found.interval else ""
    return (
        f"{scale.label} {scale.text(summary.leakage or 0.0)} {by}, an excess of "
        f"{found.value:z.2f}{ends} {over}{_named(summary)}"
    )


def _named(summary: Summary) -> str:
    if summary.named is None:
        return ""
    by_attack, by_guess = fmean(summary.named.leakage), fmean(summary.named.floor)
    who = "it" if summary.named.attack == summary.chosen else summary.named.attack
    return (
        f"; {who} names {by_attack:.0%} of the inputs among others of their class, where the guess "
        f"names {by_guess:.0%}"
    )


def _unknown(summary: Summary) -> str:
    if summary.saturation is None:
        return "what stronger attacks would get"
    if not summary.saturation.saturated:
        return "what stronger attacks would get, and such may exist: these were still gaining"
    return "what an attack of another kind would get, though more steps gain nothing"
