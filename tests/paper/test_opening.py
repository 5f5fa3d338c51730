"""How the page of results opens: sentences and picture that say what the records say."""

import pytest

from mixcon.audit import environment_of
from mixcon.paper import Result, Row
from mixcon.paper.opening import Working, opening, opening_picture

WORKING = Working("code(bits=8)", 98.5, 0.43, 0.41, 8.0)


def table3(ours, strongest):
    """Vanilla and MixCon as the paper has them, beside these means of SSIM."""
    rows = []
    for place, (setting, accuracy, ssim) in enumerate(
        [("vanilla", 99.1, 0.64), ("mix", 98.6, 0.14)]
    ):
        common = {"group": "mnist", "setting": setting}
        rows += [
            Row(**common, quantity="Accuracy (%)", paper=accuracy, ours=[98.0 - place]),
            Row(
                **common, quantity="SSIM, mean", paper=ssim, ours=[ours[place]],
                strongest=[strongest[place]], floor=[0.3],
            ),
        ]  # fmt: skip
    return Result(
        experiment="table3", title="Table 3: x", scale="full", ran="all", seeds=[0],
        environment=environment_of("mixcon reproduce table3", 0), seconds=1.0, notes=[],
        rows=rows, checks=[], data={},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ours", "strongest", "own", "beyond"),
    [
        ((0.6, 0.1), (0.99, 0.98), "holds", "does not hold"),
        ((0.6, 0.5), (0.9, 0.3), "does not hold", "holds"),
    ],
)
def test_five_sentences_say_what_holds(ours, strongest, own, beyond):
    said = opening([table3(ours, strongest)], WORKING)
    assert said.count(". ") == 4
    assert f"Under its own attack that {own} here: from {ours[0]:.2f} to {ours[1]:.2f}" in said
    assert f"the strongest attack that mixcon knows it {beyond}: {strongest[0]:.2f}" in said
    assert "`code(bits=8)` keeps 98.5 % and leaves 0.43" in said
    assert "8 bits proved for every attacker" in said
    assert "Of the 2 orderings that the paper's tables have, 2 hold" in said


def test_the_picture_shows_every_figure_and_the_guess():
    svg = opening_picture([table3((0.6, 0.1), (0.99, 0.98))], WORKING).decode()
    for text in ("0.64", "0.14", "0.60", "0.10", "0.99", "0.98", "0.43", "code(bits=8), 98.5 %"):
        assert f"<!-- {text}" in svg, text
    assert "a guess from the class alone" in svg
    alone = opening_picture([table3((0.6, 0.1), (0.99, 0.98))], None).decode()
    assert "code(bits=8)" not in alone


def test_without_table_3_on_mnist_there_is_neither():
    assert opening([], WORKING) == ""
    assert opening_picture([], WORKING) is None
