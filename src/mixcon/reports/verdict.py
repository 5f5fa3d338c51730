"""Verdict: two plain sentences that say what the numbers mean, or why nobody can tell."""

from __future__ import annotations

import math
from statistics import fmean

from mixcon.metrics import Metric, metric_named
from mixcon.reports.certainty import certainty, told_secret
from mixcon.reports.doubts import Judged, caveats, judge, no_verdict
from mixcon.reports.figures import Figures
from mixcon.reports.headline import excess
from mixcon.reports.summary import Summary

__all__ = ["verdict"]

_NOTHING = 0.05
"""An excess below this counts as nothing: the reconstruction is no better than the class mean."""

_ROUGH = 0.3
"""From this excess on an input can be seen, and need not be found among others."""

_SEEN = (
    (0.9, "redraw the {things} almost perfectly"),
    (0.6, "redraw the {things} clearly"),
    (_ROUGH, "redraw the {things} roughly"),
    (_NOTHING, "redraw little more of the {things} than their class alone reveals"),
    (-math.inf, "redraw no more of the {things} than their class alone reveals"),
)
_ADVICE = (
    (0.6, "do not rely on it to hide the inputs"),
    (_ROUGH, "it blurs the inputs but does not hide them"),
    (_NOTHING, "it hides most of the detail from the attacks tried here"),
    (-math.inf, "it hides the inputs from every attack tried here, though a stronger one may come"),
)
_EFFECT = {
    "worse": "leaks even more ({after})",
    "none": "is no different ({after})",
    "stopped": "stops this ({after}, where a guess from the class alone gets {floor})",
    "barely": "barely changes this ({after})",
    "somewhat": "makes this only somewhat harder ({after})",
    "much": "makes this much harder ({after})",
}


def verdict(figures: Figures) -> list[str]:
    """Say in plain sentences what comes back, what the defense costs, and what is not known.

    The first model is taken as the undefended one. Of several defended models, the one with the
    highest accuracy minus excess leakage speaks for all; models of several seeds count as one. The
    words follow from the numbers: the bands lie on the headline excess.

    An audit that tried too little (see `Evidence.flaws`), or whose attacks failed, can show that
    a model leaks but not that it hides; on a model at chance it shows nothing. Then the first
    sentence says that there is no verdict.

    Returns:
        Two sentences: what an attacker gets, and what it costs and is worth; where there is no
        verdict on a defended model, that of the undefended one comes first. Another says why the
        audit is no proof that the inputs are hidden, if it is none. Then three on the model that
        these speak of, if it was attacked: what is proved, measured and not known. Then one for
        each model and each attribute that was asked for.
    """
    judged = [judge(defense) for defense in figures.defenses]
    chosen = _spoken_of(judged)
    known = certainty(chosen.summary) if chosen.summary.found else []
    told = [told_secret(m.name, each) for m in figures.report.models for each in m.secrets]
    return [*_sentences(judged, chosen, figures.metric), *caveats(judged), *known, *told]


def _spoken_of(judged: list[Judged]) -> Judged:
    plain, *defended = judged
    learned = [each for each in defended if not each.guesses]
    return plain if not defended or plain.guesses else max(learned or defended, key=_trade)


def _sentences(judged: list[Judged], chosen: Judged, metric: str) -> list[str]:
    plain, *defended = judged
    learned = [each for each in defended if not each.guesses]
    if chosen is plain:
        return _alone(plain, metric)
    if not plain.is_known:
        return _alone(chosen, metric)
    if not chosen.is_known:
        return [_attacker(plain.summary, metric, alone=False) + ".", *_alone(chosen, metric)]
    return _compared(plain.summary, chosen.summary, len(learned), metric)


def _trade(judged: Judged) -> float:
    """Accuracy minus excess; attacks that do worse than the floor are no merit."""
    return judged.summary.accuracy - max(judged.summary.excess or 0.0, 0.0)


def _alone(judged: Judged, metric: str) -> list[str]:
    summary = judged.summary
    if not judged.is_known:
        return no_verdict(judged, metric)
    return [_attacker(summary, metric, alone=True) + ".", f"{_worth(summary)}; {_advice(summary)}."]


def _compared(plain: Summary, chosen: Summary, count: int, metric: str) -> list[str]:
    first = _attacker(plain, metric, alone=False) + _comparison(
        plain, chosen, count, metric_named(metric)
    )
    return [f"{first}.", f"{_cost(plain, chosen)}; {_advice_against(plain, chosen)}."]


def _band(value: float, bands: tuple[tuple[float, str], ...]) -> str:
    return next(text for limit, text in bands if value >= limit)


def _attacker(summary: Summary, metric: str, *, alone: bool) -> str:
    if summary.leakage is None or summary.floor is None or summary.excess is None:
        return (
            "No attack was run, so nothing is known about what an attacker in the cloud "
            "can redraw from what the device sends"
        )
    scale = metric_named(metric)
    seen = _band(summary.excess, _SEEN).format(things="pictures" if metric == "ssim" else "inputs")
    model = f"the model {summary.model}" if alone else "the undefended model"
    guess = f"; a guess from the class alone gets {scale.text(summary.floor)}" if alone else ""
    apart = f", and {_told(summary)}" if _is_only_named(summary) else ""
    return (
        f"An attacker in the cloud who sees what the device sends can {seen} from {model} "
        f"({scale.in_words(summary.leakage)}{guess}){apart}"
    )


def _is_only_named(summary: Summary) -> bool:
    """Whether the reconstructions are unlike the inputs, and tell which ones they were."""
    return summary.tells_apart and (summary.excess or 0.0) < _ROUGH


def _told(summary: Summary) -> str:
    share = fmean(summary.named.leakage) if summary.named else 0.0
    return f"tell {share:.0%} of the inputs from others of their class by what comes back"


def _effect(before: float, after: float) -> str:
    if after > before + 0.02:
        return "worse"
    if after < _NOTHING:
        return "none" if before < _NOTHING else "stopped"
    return _band(after / before, ((0.9, "barely"), (0.6, "somewhat"), (-math.inf, "much")))


def _comparison(plain: Summary, chosen: Summary, count: int, scale: Metric) -> str:
    if plain.excess is None or chosen.leakage is None or chosen.excess is None:
        return ""
    effect = _effect(plain.excess, chosen.excess)
    who = "the defended one"
    if count > 1:
        who = f"the best of the {count} defended ones, {chosen.model},"
    words = _EFFECT[effect].format(
        after=scale.text(chosen.leakage), floor=scale.text(chosen.floor or 0.0)
    )
    flattered = effect in {"worse", "barely", "somewhat"}
    return f", and {who} {words}" + (_flattery(plain, chosen, scale) if flattered else "")


def _flattery(plain: Summary, chosen: Summary, scale: Metric) -> str:
    """Name the weaker attack that makes the defense look best, if one at least halves."""
    drops = {}
    for attack in plain.attacks.keys() & chosen.attacks.keys():
        before, after = (
            excess(s.attacks[attack].mean, s.floor or 0.0, scale.perfect) for s in (plain, chosen)
        )
        if before >= _NOTHING and after < before / 2:
            drops[attack] = before - after
    if not drops:
        return ""
    attack = max(sorted(drops), key=drops.__getitem__)
    before, after = plain.attacks[attack].mean, chosen.attacks[attack].mean
    name = "that the MixCon paper used" if attack == "rmle-paper" else attack
    verb = "falls" if after < before else "rises"
    return (
        f", although under the weaker attack {name} it seems to help "
        f"({scale.text(before)} {verb} to {scale.text(after)})"
    )


def _worth(summary: Summary) -> str:
    return f"The model classifies {100 * summary.accuracy:.1f} % of the test inputs correctly"


def _cost(plain: Summary, chosen: Summary) -> str:
    # The difference of the rounded figures, so that the sentence adds up for who checks it.
    before, after = round(100 * plain.accuracy, 1), round(100 * chosen.accuracy, 1)
    points = round(before - after, 1)
    change = f"{before:.1f} % to {after:.1f} %"
    amount = f"{abs(points):.1f} point{'' if abs(points) == 1 else 's'}"
    if points == 0:
        return f"The defense costs no accuracy ({after:.1f} % with and without it)"
    if points < 0:
        return f"With the defense accuracy rises by {amount} ({change})"
    much = "as much as " if points >= 5 else ""
    return f"The defense costs {much}{amount} of accuracy ({change})"


def _advice(summary: Summary) -> str:
    if summary.excess is None:
        return "audit it before you rely on it to hide the inputs"
    if _is_only_named(summary):
        return f"an attacker can {_told(summary)}, so do not rely on it to hide which one it was"
    return _band(summary.excess, _ADVICE)


def _advice_against(plain: Summary, chosen: Summary) -> str:
    if plain.excess is None or chosen.excess is None:
        return _advice(chosen)
    effect = _effect(plain.excess, chosen.excess)
    if effect in {"worse", "barely"}:
        return _ADVICE[0][1]
    if effect == "none" and not _is_only_named(plain):
        return "there was nothing for it to hide from the attacks tried here"
    return _advice(chosen)
