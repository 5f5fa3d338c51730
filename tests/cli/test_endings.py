"""How long work ends when it cannot go on: checked first, one message, and what is kept."""

import errno
import json
import os
import shlex
import signal
import sys

import pytest
import typer
from tests.commands import run_command
from tests.started import started, wait_until

from mixcon.cli._console import Terminated, command, interruptible, system_problem
from mixcon.errors import RunError
from mixcon.training import RunFolder

pytestmark = pytest.mark.smoke

TRAIN = ["train", "--data", "digits", "--accelerator", "cpu"]


def run(*words, folder, **environment):
    return run_command(*words, cwd=folder, env={**os.environ, **environment})


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a run in it, whose name a shell would take apart."""
    folder = tmp_path_factory.mktemp("endings")
    done = run(*TRAIN, "--epochs", 1, "--out", "my run's", folder=folder)
    assert done.returncode == 0, done.stderr
    return folder, done.stderr


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [(signal.SIGINT, 130, "Interrupted"), (signal.SIGTERM, 143, "Terminated")],
)
def test_a_signal_in_training_says_how_to_go_on(tmp_path, number, code, word):
    with started(*TRAIN, "--epochs", 500, "--out", "run", cwd=tmp_path) as process:
        wait_until((tmp_path / "run" / "checkpoint.safetensors").is_file, process)
        process.send_signal(number)
        _, shown = process.communicate(timeout=60)
    assert process.returncode == code
    assert f"{word}. Run the same command again to go on: run keeps what was done." in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -15)])
def test_a_signal_during_the_imports(tmp_path, number, code):
    """The first import of the command sends itself the signal, and waits for what comes."""
    torch = tmp_path / "torch"
    torch.mkdir()
    (torch / "__init__.py").write_text(
        f"import os, signal\nos.kill(os.getpid(), {int(number)})\nsignal.pause()\n"
    )
    path = os.pathsep.join([str(tmp_path), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path}
    script = tmp_path / "mixcon"
    script.write_text("from mixcon.cli import main\nmain()\n")
    for program in (["-m", "mixcon"], [script]):
        with started("train", "--help", program=program, cwd=tmp_path, env=environment) as process:
            _, shown = process.communicate(timeout=60)
        assert process.returncode == code
        assert "Traceback" not in shown
        assert ("Interrupted" in shown) == (number == signal.SIGINT)


def test_a_program_that_imports_mixcon_keeps_its_own_ctrl_c():
    code = "import signal, mixcon; assert signal.getsignal(2) is signal.default_int_handler"
    with started(program=["-c", code]) as process:
        process.communicate(timeout=60)
        assert process.returncode == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([*TRAIN, "--out", "file/x"], "file: Not a directory; a file stands where a folder"),
        (["train", "--data", "digits", "--accelerator", "cuda"], "try accelerator auto or cpu"),
        (["sweep", "--data", "digits", "--accelerator", "cuda"], "try accelerator auto or cpu"),
        (["sweep", "--data", "digits", "--out", "file/x"], "file: Not a directory"),
        (["demo", "--out", "file/x"], "file: Not a directory"),
        (["reproduce", "table1", "--out", "file/x"], "file: Not a directory"),
        (["reproduce", "table1", "--work", "file/x"], "file: Not a directory"),
    ],
)
def test_what_cannot_work_is_said_first(tmp_path, words, message):
    if "cuda" in words and os.path.exists("/dev/nvidia0"):
        pytest.skip("there is such an accelerator")
    (tmp_path / "file").write_text("mine")
    done = run(*words, folder=tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_audit_that_cannot_write_its_report_does_not_begin(trained):
    folder, _ = trained
    (folder / "file").write_text("mine")
    done = run("audit", "my run's", "--out", "file/x", folder=folder)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Not a directory" in done.stderr
    assert "%" not in done.stderr  # no phase began


@pytest.mark.parametrize("damage", ["{", '{"epoch": 0}\n{"ep', "[]\n", "\x00"])
def test_a_damaged_record_of_metrics_is_one_message(tmp_path, damage):
    (tmp_path / "metrics.jsonl").write_text(damage)
    with pytest.raises(RunError, match=r"metrics.jsonl: expected .* damaged"):
        RunFolder(tmp_path).read_metrics()


def test_the_next_command_works_as_it_is_printed(trained):
    folder, shown = trained
    printed = next(line for line in shown.splitlines() if "See what it leaks: " in line)
    words = shlex.split(printed.partition("See what it leaks: ")[2])
    assert words == ["mixcon", "audit", "my run's"]
    quick = ["--victims", "2", "--attack", "rmle-paper", "--budget", "0.01x", "--quick"]
    done = run(*words[1:], *quick, folder=folder)
    assert done.returncode == 0, done.stderr
    assert "%  summary\n" in done.stderr  # no terminal: a line a phase
    report = json.loads((folder / "my run's" / "audit" / "report.json").read_text())
    assert shlex.split(report["environment"]["command"])[1:] == [*words[1:], *quick]


def test_a_command_names_the_data_folder_where_the_environment_does_not(monkeypatch):
    monkeypatch.delenv("MIXCON_DATA", raising=False)
    assert command("audit", "a b", data_dir="/d", trust=None) == "mixcon audit 'a b' --data-dir=/d"
    monkeypatch.setenv("MIXCON_DATA", "/d")
    assert command("audit", "r", data_dir="/d") == "mixcon audit r"
    assert command("audit", "r", data_dir="/e") == "mixcon audit r --data-dir=/e"


def test_a_full_disk_says_what_is_kept_and_what_to_do():
    told = r"r/m: No space.*; make room on the disk\. Run it again"
    with pytest.raises(RunError, match=told), interruptible("Run it again"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "r/m")


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt, 130), (Terminated, 143)])
def test_the_codes_are_those_of_the_shell(error, code):
    with pytest.raises(typer.Exit) as caught, interruptible("Again"):
        raise error
    assert caught.value.exit_code == code


def test_any_problem_of_the_system_is_one_line():
    assert system_problem(IsADirectoryError(errno.EISDIR, "Is a directory", "k")) == (
        "k: Is a directory; a folder stands where a file should be: choose another path"
    )
    assert system_problem(OSError("odd")) == "odd"
