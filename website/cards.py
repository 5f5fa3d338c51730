"""Cards: a page for each part, made of its docstring, its signature and what it says of itself."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import griffe

from website.parts import KINDS, Part, parts

__all__ = ["Words", "card", "overview", "pages", "words_of"]

_AUDIT = Path(__file__).parents[1] / "docs" / "audits" / "mnist.json"
_LEADS = {
    "losses": "What is added to the cross-entropy, as a penalty: `weight` times the loss.",
    "channels": "What happens to a representation before it leaves the device.",
    "defenses": "Penalties, adversaries that learn along, and channels that belong together.",
    "attacks": "From what crosses the wire back to the input; see [Attacks](../../attacks.md).",
    "bounds": "What no attacker can exceed, whatever it computes, under the assumptions named.",
    "metrics": "How close a reconstruction comes to its original, one number a sample; see "
    "[Metrics](../../metrics.md).",
}


@dataclass
class Words:
    """A docstring, taken apart; all but the last as Markdown.

    Attributes:
        text: paragraphs that say what it is.
        equations: indented blocks, with the sentences that lead to them and go on after them.
        source: where it comes from.
        cost: what it costs.
        meanings: setting to what it means.
    """

    text: list[str] = field(default_factory=list)
    equations: list[str] = field(default_factory=list)
    source: str = ""
    cost: str = ""
    meanings: dict[str, str] = field(default_factory=dict)


def words_of(part: Any) -> Words:
    """The docstring of a class or function."""
    words = Words()
    kinds = griffe.DocstringSectionKind
    for section in griffe.Docstring(inspect.getdoc(part) or "").parse("google", warnings=False):
        if section.kind in (kinds.parameters, kinds.attributes):
            for entry in section.value:
                words.meanings[entry.name] = " ".join(entry.description.split())
        elif section.kind is kinds.text:
            for paragraph in section.value.split("\n\n"):
                _sort(paragraph, words)
    return words


def _sort(paragraph: str, words: Words) -> None:
    label, _, rest = paragraph.partition(":")
    if label in ("Source", "Sources"):
        words.source = " ".join(rest.split())
    elif label == "Cost":
        words.cost = " ".join(rest.split())
    elif paragraph.startswith("    "):
        if words.text and words.text[-1].endswith((":", ",")):
            words.equations.append(words.text.pop())
        words.equations.append(_fenced(inspect.cleandoc(paragraph)))
    elif words.equations and paragraph[0].islower():
        words.equations.append(paragraph)
    elif not paragraph.startswith(">>>"):
        words.text.append(paragraph)


def _fenced(text: str) -> str:
    return f"```text\n{text}\n```"


def card(part: Part) -> str:
    """The page of one part, as Markdown."""
    said = [words_of(described) for described in part.described]
    lines = [f"# {part.name}", "", *_joined([*said[0].text, _fenced(part.use)])]
    lines += ["## Paper and equation", "", f"**Source:** {_first(w.source for w in said)}", ""]
    lines += _joined(equation for words in said for equation in words.equations)
    lines += _settings(part, said)
    lines += ["## Cost", "", f"**Cost:** {_first(w.cost for w in said)}", ""]
    lines += _table({**part.facts, **_measured(part)})
    for described, words in zip(part.described[1:], said[1:], strict=True):
        if part.kind == "defenses":
            lines += [f"## {described.__name__}", "", *_joined(words.text)]
    where = inspect.getmodule(part.described[0]).__name__  # type: ignore[union-attr]
    return "\n".join([*lines, f"Code: `{where}`", ""])


def overview(kind: str, members: Iterable[Part]) -> str:
    """The page that lists the cards of one kind."""
    lines = [f"# {KINDS[kind]}", "", _LEADS[kind], "", "| Name | What it is |", "| :-- | :-- |"]
    for part in members:
        summary = words_of(part.described[0]).text[0].replace("\n", " ").replace("|", "\\|")
        lines.append(f"| [{part.name}]({part.name}.md) | {summary} |")
    return "\n".join([*lines, ""])


def pages() -> Iterator[tuple[str, str]]:
    """Path of every card and overview below the documentation's folder, and its Markdown."""
    every = list(parts())
    for kind in KINDS:
        own = [part for part in every if part.kind == kind]
        yield f"cards/{kind}/index.md", overview(kind, own)
        for part in own:
            yield f"cards/{kind}/{part.name}.md", card(part)


def _joined(paragraphs: Iterable[str]) -> Iterator[str]:
    for paragraph in paragraphs:
        yield from (paragraph, "")


def _first(texts: Iterable[str]) -> str:
    return next((text for text in texts if text), "")


def _settings(part: Part, said: list[Words]) -> Iterator[str]:
    if not part.settings:
        return
    meanings = {name: text for words in reversed(said) for name, text in words.meanings.items()}
    searched = any(setting.search for setting in part.settings)
    yield from ("## Settings", "")
    yield "| Setting | Default |" + (" A sweep tries |" if searched else "") + " Meaning |"
    yield "| :-- | :-- |" + (" :-- |" if searched else "") + " :-- |"
    for name, default, search in part.settings:
        tried = f" {search} |" if searched else ""
        meaning = meanings.get(name, "").replace("|", "\\|")
        yield f"| `{name}` | {default or 'required'} |{tried} {meaning} |"
    yield ""


def _table(facts: dict[str, str]) -> Iterator[str]:
    if facts:
        yield from ("| | |", "| :-- | :-- |")
        yield from (f"| {label} | {text} |" for label, text in facts.items())
        yield ""


def _measured(part: Part) -> dict[str, str]:
    """What the recorded audit of four models says of an attack."""
    models = json.loads(_AUDIT.read_text(encoding="utf-8"))["models"]
    found = [a["seconds"] for m in models for a in m["attacks"] if a["attack"] == part.name]
    if part.kind != "attacks" or not found:
        return {}
    where = "[recorded audit](../../audits/README.md), 100 images of MNIST"
    return {"Measured": f"{min(found):.0f} to {max(found):.0f} seconds a model ({where})"}
