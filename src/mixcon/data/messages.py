"""Made-up messages to a bank: what people want is asked for, what they say of themselves is not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import torch

from mixcon.data._checks import END
from mixcon.data.labeled import Attribute, LabeledSet, Splits

__all__ = ["messages"]

_SIZES = (6000, 2000)
_LENGTH = 20

_WANTED = {
    "card": [
        "my card was stolen in {city} [on {day}]",
        "i lost my card [near the station] in {city} please block it",
        "please block the card that ends in {digit} {digit} {digit}",
        "the machine at the airport kept my card [on {day}]",
    ],
    "transfer": [
        "please send {amount} euros to my {kin} in {city}",
        "i want to transfer {amount} euros to {name} [before {day}]",
        "move {amount} euros from my savings to my {kin} [by {day}]",
        "can you pay {amount} euros to {name} in {city}",
    ],
    "balance": [
        "how much is left on my account after {day}",
        "did the {amount} euros from my {kin} arrive",
        "what is the balance of the account in {city}",
        "has {name} paid me the {amount} euros [since {day}]",
    ],
    "loan": [
        "i need a loan of {amount} euros for a {thing}",
        "can my {kin} and i borrow {amount} euros for a {thing} in {city}",
        "what would {amount} euros for a {thing} cost a month",
        "i lost my work as a {job} and cannot pay the loan in {month}",
    ],
    "address": [
        "i moved to {city} in {month} please change my address",
        "my new address is {digit} {digit} {street} street in {city}",
        "we are moving to {street} street number {digit} in {month}",
        "send letters to my {kin} at {street} street in {city}",
    ],
    "meeting": [
        "can i meet somebody in {city} on {day}",
        "i would like an appointment in {month} about my {thing}",
        "my {kin} and i want to talk to you on {day} [in {city}]",
        "please move my appointment from {day} to {day}",
    ],
}
_OPENINGS = ["", "hello", "good morning", "dear bank", "hi", "sorry to bother you"]
_PERSONS = [
    "", "this is {name}", "my name is {name}", "{name} here", "i am {name} from {city}",
    "i am a {job} [in {city}]",
]  # fmt: skip
_CLOSINGS = ["", "", "thank you", "as soon as possible", "please call me", "kind regards {name}"]
_SLOTS: Mapping[str, Sequence[str]] = {
    slot: words.split()
    for slot, words in {
        "name": "ada ben clara david emma felix greta hugo ida jonas karin leo maria nils olga "
        "paul rosa simon tessa ulrich vera walter yara zoe",
        "city": "berlin hamburg munich cologne leipzig dresden bremen essen kiel mainz",
        "day": "monday tuesday wednesday thursday friday saturday sunday",
        "month": "january february march april may june july august september october",
        "amount": "fifty eighty hundred ninety thirty seventy sixty twenty forty thousand",
        "kin": "mother father sister brother son daughter wife husband aunt uncle",
        "thing": "car house kitchen boat roof wedding garden bicycle piano operation",
        "job": "nurse teacher baker driver painter lawyer farmer waiter plumber singer",
        "street": "garden church mill school lake forest castle market bridge rose",
        "digit": "zero one two three four five six seven eight nine",
    }.items()
}


def messages(seed: int = 0) -> Splits:
    """6,000 messages for training and 2,000 for testing: which of six things does somebody want?

    Made up, nobody's: an opening, who writes, the wish and a close, each put together at random,
    of 20 words at most out of some 200. Names, places, amounts, relatives and the like are told
    along with the wish. The city that is named first is an attribute ("none" where there is none).

    Args:
        seed: draws the messages.

    Returns:
        Texts of 20 tokens.
    """
    generator = torch.Generator().manual_seed(seed)
    return Splits(*(_draw(count, generator) for count in _SIZES))


def _draw(count: int, generator: torch.Generator) -> LabeledSet:
    def one_of(choices: Sequence[str]) -> str:
        return choices[int(torch.randint(len(choices), (1,), generator=generator))]

    def filled(pattern: str) -> list[str]:
        shown = re.sub(r"\[(.*?)\]", lambda part: one_of(["", part[1]]), pattern)
        return re.sub(r"\{(.*?)\}", lambda slot: one_of(_SLOTS[slot[1]]), shown).split()

    def message(wish: str) -> list[str]:
        middle = filled(one_of(_WANTED[wish]))
        before, after = filled(one_of(_PERSONS)), filled(one_of(_CLOSINGS))
        return [*one_of(_OPENINGS).split(), *before, *middle, *after][:_LENGTH]

    wishes, words = tuple(_WANTED), _words()
    labels = torch.randint(len(wishes), (count,), generator=generator)
    texts = [message(wishes[label]) for label in labels.tolist()]
    tokens = torch.full((count, _LENGTH), END)
    places = {word: place for place, word in enumerate(words)}
    for row, text in enumerate(texts):
        tokens[row, : len(text)] = torch.tensor([places[word] for word in text])
    cities = ("none", *_SLOTS["city"])
    named = [next((word for word in text if word in cities), "none") for text in texts]
    values = torch.tensor([cities.index(city) for city in named])
    city = {"city": Attribute(values, cities)}
    return LabeledSet("messages", tokens, labels, wishes, attributes=city, vocabulary=words)


def _words() -> tuple[str, ...]:
    patterns = [*_OPENINGS, *_PERSONS, *_CLOSINGS, *(p for each in _WANTED.values() for p in each)]
    written = re.sub(r"\{.*?\}|[\[\]]", " ", " ".join(patterns)).split()
    return tuple(sorted({*written, *(word for slot in _SLOTS.values() for word in slot)}))
