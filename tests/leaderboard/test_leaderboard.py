"""The leaderboard: entries are whole, signed, and hold on victims that nobody knew before."""

import json
import shutil
from contextlib import suppress
from dataclasses import replace

import pytest
from typer import Exit

from mixcon.attacks import Decoder, strongest
from mixcon.audit import run_audit, subject_of
from mixcon.cli import app
from mixcon.errors import RunError
from mixcon.leaderboard import (
    FRONTS,
    add_entry,
    board_rows,
    fronts_picture,
    leaderboard_page,
    on_front,
    read_entries,
    read_entry,
    verify_entry,
)
from mixcon.reports.files import report_json
from mixcon.serving import signing
from mixcon.training import TrainConfig, train

DEFENSES = ("vanilla", "code(bits=6)")
STEPS = 60  # of decoders, here and in the check: enough to tell these two apart


@pytest.fixture(scope="module")
def board(digits, tmp_path_factory):
    """A board of two runs that one audit judged; also the key that signed it."""
    folder = tmp_path_factory.mktemp("board")
    key = signing.private_key(folder / "key.pem")
    runs, subjects = [], []
    for place, defense in enumerate(DEFENSES):
        run = folder / f"run-{place}"
        model = train(TrainConfig(data="digits", network="lenet5", epochs=2, defense=defense), run)
        runs.append(run)
        subjects.append(subject_of(run, model))
    report, _ = run_audit(subjects, digits, [Decoder(steps=STEPS)], victims=40)
    (folder / "report.json").write_text(report_json(report))
    for run in runs:
        add_entry(run, folder / "report.json", folder / "board", digits, key)
    return folder / "board"


@pytest.fixture
def short(monkeypatch):
    """A check in as few steps as the board was audited with."""
    monkeypatch.setattr("mixcon.leaderboard.verify._STEPS", STEPS)


@pytest.fixture
def copy(board, tmp_path):
    """A board to spoil."""
    return shutil.copytree(board, tmp_path / "board")


def test_an_entry_is_a_run_with_the_audit_of_its_weights_alone(board):
    entries = read_entries(board)
    assert [str(e.config.defense) for e in entries] == ["code(bits=6)", "vanilla"]
    for entry in entries:
        assert [m.name for m in entry.report.models] == [str(entry.config.defense)]
    assert [e.manifest.wire_bytes for e in entries] == [1, 4 * 400]


def test_rows_are_ordered_by_leakage_and_know_the_front(board):
    code, plain = rows = board_rows(read_entries(board))
    assert code.worst < plain.worst
    assert plain.lost == 0
    assert code.lost == pytest.approx(100 * (plain.accuracy - code.accuracy))
    assert on_front(code, rows)
    assert on_front(plain, rows) == (plain.accuracy > code.accuracy)
    assert all(row.flaws for row in rows)  # one quick attack is weak evidence


def test_the_page_shows_every_entry_and_names_weak_evidence(board):
    page = leaderboard_page(board_rows(read_entries(board)), board, board.parent / "page.md")
    assert "](board/digits/code-bits=6-lenet5-s0)" in page
    assert page.count("weak evidence") == 2
    assert "## digits" in page
    assert "fronts.svg" not in page  # not drawn


def test_an_attack_that_came_later_is_said(board, monkeypatch):
    class Sharper(Decoder):
        name = "sharper"

    entries = read_entries(board)
    page = leaderboard_page(board_rows(entries), board, board.parent / "page.md")
    assert "Audited without" not in page  # what these left out, they say themselves
    known = strongest("image")
    monkeypatch.setattr("mixcon.leaderboard.board.strongest", lambda _: [*known, Sharper()])
    page = leaderboard_page(board_rows(entries), board, board.parent / "page.md")
    assert "Audited without `sharper`, or with an earlier one: all rows." in page
    wider = replace(Decoder(), batch_size=256)
    monkeypatch.setattr("mixcon.leaderboard.board.strongest", lambda _: [wider])
    page = leaderboard_page(board_rows(entries), board, board.parent / "page.md")
    assert "Audited without `decoder`, or with an earlier one: all rows." in page


def test_a_seed_is_as_slow_as_it_was_beside_the_undefended_one_of_its_machine(board):
    code, plain = board_rows(read_entries(board))
    both = [code.entries[0], plain.entries[0]]
    again = board_rows([*both, *(_of_a_faster_machine(entry) for entry in both)])
    assert again[0].slower == pytest.approx(code.slower, rel=0.01)
    alone = board_rows([*both, _of_a_faster_machine(both[1])])
    assert alone[0].slower == pytest.approx(code.slower, rel=0.01)


def _of_a_faster_machine(entry):
    seconds = entry.manifest.train_seconds / 10
    manifest = entry.manifest.model_copy(update={"train_seconds": seconds})
    return replace(entry, config=entry.config.model_copy(update={"seed": 1}), manifest=manifest)


def test_the_picture_names_the_front_and_the_undefended(board, tmp_path):
    rows = board_rows(read_entries(board))
    picture = fronts_picture(rows).decode()
    for words in ("digits, lenet5", "a code", "b vanilla"):
        assert f"<!-- {words} -->" in picture
    (tmp_path / FRONTS).write_text(picture)
    page = leaderboard_page(rows, tmp_path, tmp_path / "page.md")
    assert f"![Accuracy and excess]({FRONTS})" in page


@pytest.mark.parametrize(
    "name", ["config.toml", "model.safetensors", "report.json", "entry.json", "entry.sig"]
)
def test_what_was_changed_is_refused(copy, name):
    path = next(copy.glob("digits/vanilla*")) / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(RunError, match="signed"):
        read_entry(path.parent)


def test_a_stranger_s_signature_is_refused_where_a_key_is_trusted(copy, tmp_path):
    signing.private_key(tmp_path / "other.pem")
    entry = next(copy.glob("digits/vanilla*"))
    with pytest.raises(RunError, match="signed"):
        read_entry(entry, tmp_path / "other.pub.pem")


def test_an_entry_holds_on_new_victims(board, digits, short):
    for entry in read_entries(board):
        findings = verify_entry(entry, digits, seed=12345, victims=40)
        assert all(each.holds for each in findings), findings


def test_an_entry_that_claims_to_leak_less_does_not_hold(board, digits, short):
    """As by an attack too weak, or victims that were picked."""
    entry = next(e for e in read_entries(board) if str(e.config.defense) == "vanilla")
    attack = entry.report.models[0].attacks[0]
    attack.leakage["ssim"] = [value - 0.4 for value in attack.leakage["ssim"]]
    findings = verify_entry(entry, digits, seed=12345, victims=40)
    assert [each.holds for each in findings] == [True, True, False]


def test_a_run_is_audited_and_added_by_one_command_and_scored_again(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("mixcon.leaderboard.board_audit.strongest", lambda _: [Decoder(steps=3)])
    monkeypatch.setattr("mixcon.leaderboard.board_audit.VICTIMS", 12)
    own, key = tmp_path / "own", tmp_path / "key.pem"
    words = ["--board", str(own), "--key", str(key)]
    run = tmp_path / "run"  # of vectors, whose audit takes least
    train(TrainConfig(data="wine", network="mlp", epochs=2, defense="code(bits=6)"), run)
    app(["leaderboard", "add", str(run), *words], standalone_mode=False)
    (entry,) = read_entries(own)
    assert [a.attack for a in entry.report.models[0].attacks] == ["decoder"]
    assert "code(bits=6)" in own.with_suffix(".md").read_text()
    trained_on = entry.manifest.trained_on
    assert trained_on == entry.report.environment.machine
    again = ["--attack", "query-free", "--work", str(tmp_path / "work")]
    monkeypatch.setattr("mixcon.audit.environment._machine", lambda: "another machine")
    app(["leaderboard", "rescore", *again, *words], standalone_mode=False)
    (entry,) = read_entries(own)
    assert [a.attack for a in entry.report.models[0].attacks] == ["decoder", "query-free"]
    assert entry.report.environment.machine == "another machine"
    assert entry.trained_on == trained_on
    assert read_entry(entry.folder, key.with_suffix(".pub.pem"))
    capsys.readouterr()
    with suppress(Exit):  # three steps of a decoder prove nothing
        app(["leaderboard", "verify", str(entry.folder), "--json"], standalone_mode=False)
    outcome = json.loads(capsys.readouterr().out)
    assert {"claim", "recorded", "measured", "holds"} == set(outcome["findings"][0])


def test_an_audit_of_other_weights_is_refused(board, digits, tmp_path):
    run = board.parent / "run-0"
    report = json.loads((board.parent / "report.json").read_text())
    for model in report["models"]:
        model["weights"] = "0" * 64
    (tmp_path / "report.json").write_text(json.dumps(report))
    key = signing.private_key(tmp_path / "key.pem")
    with pytest.raises(RunError, match="mixcon audit"):
        add_entry(run, tmp_path / "report.json", tmp_path / "board", digits, key)
    assert not (tmp_path / "board").exists()
