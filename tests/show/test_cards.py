"""Which runs share a card."""

from mixcon.defenses import DefenseConfig
from mixcon.show.cards import cards_of


def cards(*texts):
    return cards_of([DefenseConfig.parse(text) for text in texts])


def test_runs_that_differ_in_one_number_share_a_dial():
    code = "code(bits={}) + unicon(weight=0.3, on=z)"
    vanilla, coded = cards("vanilla", code.format(8), code.format(16), code.format(4))
    assert (vanilla.title, vanilla.setting, vanilla.runs) == ("Vanilla", "", [0])
    assert (coded.setting, coded.values, coded.runs) == ("code.bits", [4, 8, 16], [3, 1, 2])
    assert coded.start == 1  # the first that was given


def test_runs_that_differ_in_more_stand_alone():
    assert len(cards("gaussian(sigma=0.1)", "gaussian(sigma=0.2)", "laplace(scale=0.1)")) == 2
    assert len(cards("unicon(weight=1, on=z)", "unicon(weight=1, on=raw)")) == 2
    two = cards("mixcon(weight=1, beta=0.1)", "mixcon(weight=2, beta=0.1)",
                "mixcon(weight=1, beta=0.2)")  # fmt: skip
    assert [card.runs for card in two] == [[0, 1], [2]]


def test_the_same_defense_twice_makes_two_cards():
    assert [card.runs for card in cards("vanilla", "vanilla")] == [[0], [1]]
