"""Recording the board: the whole path in small, and what an interruption costs."""

import shutil
from dataclasses import replace

import pytest

from mixcon.errors import ConfigError
from mixcon.leaderboard import (
    Frontier,
    board_rows,
    leaderboard_page,
    read_entries,
    record_frontier,
)
from mixcon.leaderboard.board import on_front
from mixcon.leaderboard.contest import contest_of
from mixcon.leaderboard.tuning import choices_file, last_within, read_choices, title_of
from mixcon.serving import signing
from mixcon.split import Sizes


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    folder = tmp_path_factory.mktemp("frontier")
    key = signing.private_key(folder / "key.pem")
    return Frontier(folder / "board", folder / "work", key, scale="smoke", workers=2)


@pytest.fixture(scope="module")
def entries(options):
    return list(record_frontier(options))


def test_every_entrant_is_on_the_board(options, entries):
    titles = [title_of(entry.config) for entry in entries]
    choices = read_choices(options.board / "digits" / choices_file("lenet5"))
    assert set(titles) == {"vanilla", *(choice.chosen for choice in choices.values())}
    assert [e.folder for e in read_entries(options.board)] == sorted(e.folder for e in entries)
    assert all(not entry.config.holdout for entry in entries)
    deeper = next(entry for entry in entries if entry.config.cut)
    assert deeper.manifest.multiply_adds > entries[0].manifest.multiply_adds > 0


def test_the_choice_is_by_accuracy_on_held_out_samples(options, entries):
    choice = read_choices(options.board / "digits" / choices_file("lenet5"))["code"]
    titles = list(choice.tried)
    accuracies = [choice.tried[title] for title in titles[1:]]
    assert titles[0] == "vanilla"
    at = last_within(accuracies, choice.tried["vanilla"], contest_of("smoke").points)
    assert choice.chosen == titles[1:][at]


def test_a_second_call_goes_on_with_what_is_there(options, entries, monkeypatch):
    def fail(*_, **__):
        raise AssertionError("nothing was left to do")

    monkeypatch.setattr("mixcon.leaderboard.jobs.train", fail)
    monkeypatch.setattr("mixcon.leaderboard.jobs.run_audit", fail)
    assert [e.folder for e in record_frontier(options)] == [e.folder for e in entries]


def test_one_process_finds_what_several_did(options, entries):
    audits = options.work / "digits" / "audits"
    before = {entry.folder.name: weights_of(entry.folder) for entry in entries}
    lost = next(options.work.glob("digits/runs/code*"))
    shutil.rmtree(lost)
    shutil.rmtree(audits / lost.name)
    again = list(record_frontier(replace(options, workers=1)))
    assert {entry.folder.name: weights_of(entry.folder) for entry in again} == before


def test_other_seeds_are_for_finalists(options, entries):
    board = list(record_frontier(replace(options, seeds=(0, 1))))
    first, others = board[: len(entries)], board[len(entries) :]
    assert [e.folder for e in first] == [e.folder for e in entries]
    assert {e.config.seed for e in others} == {1}
    rows = board_rows(first)
    front = {row.title for row in rows if on_front(row, rows)}
    assert {title_of(e.config) for e in others} == {"vanilla", *front}


def weights_of(folder):
    return (folder / "model.safetensors").read_bytes()


def test_the_page_says_how_settings_were_chosen_and_what_papers_claim(options, entries):
    page = leaderboard_page(board_rows(entries), options.board, options.board / "page.md")
    assert "**code(bits=" in page
    assert "Li et al., MixCon" in page
    assert all(row.slower for row in board_rows(entries))


@pytest.mark.parametrize(
    ("accuracies", "place"),
    [((0.9, 0.891, 0.8), 1), ((0.9, 0.7, 0.895), 2), ((0.5, 0.6, 0.55), 1)],
)
def test_taken_is_the_last_setting_that_costs_little(accuracies, place):
    assert last_within(accuracies, undefended=0.9, points=1.0) == place


def test_an_unknown_data_set_is_named(options):
    with pytest.raises(ConfigError, match="mnist"):
        contest_of().chosen(["minst"])


def test_at_full_scale_cifar10_has_the_papers_own_network_and_the_same_field():
    small, full = contest_of(), contest_of("full")
    changed = {name for name in full.sets if full.sets[name] != small.sets[name]}
    assert changed == {"cifar10"}
    assert full.sets["cifar10"].network == "vgg16"
    assert full.field("cifar10") == small.field("cifar10")


@pytest.mark.parametrize("scale", ["small", "full"])
def test_every_setting_of_the_contest_can_be_built(scale):
    contest = contest_of(scale)
    shapes = {"lenet5": (16, 5, 5), "vgg16-narrow": (32, 8, 8), "vgg16": (128, 8, 8)}
    built = set()
    for data, course in contest.sets.items():
        image = (3, 32, 32) if course.network.startswith("vgg") else (1, 28, 28)
        sizes = Sizes(image, shapes[course.network], 10)
        for name, settings in contest.field(data).items():
            assert 1 <= len(settings) <= 4, name
            for setting in settings:
                if (key := (course.network, str(setting.defense))) not in built:
                    setting.defense.build(sizes)
                    built.add(key)
