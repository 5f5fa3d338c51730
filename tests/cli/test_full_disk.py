"""A disk that is really full: one message, nothing half-written, and the same command goes on."""

import os
import subprocess

import pytest
from tests.commands import run_command

from mixcon._files import is_leftover

pytestmark = pytest.mark.smoke

TRAIN = ["train", "--data", "digits", "--accelerator", "cpu", "--epochs", "1"]
QUICK = ["--victims", "2", "--attack", "rmle-paper", "--budget", "0.01x", "--quick"]
SWEEP = ["sweep", "--data", "breast_cancer", "--network", "mlp-deeper",
         "--defense", "gaussian(sigma=[0.1])", "--epochs", "1", "--lr", "0.005",
         "--schedule", "constant", "--batch-size", "16", "--victims", "2",
         "--attack", "rmle-paper-vector", "--workers", "1", "--accelerator", "cpu"]  # fmt: skip


def run(*words, limit=None):
    """A command, whose files may be so many bytes long."""
    return run_command(*words, file_limit=limit)


class Disk:
    """A file system in memory."""

    def __init__(self, path, size):
        self.path = path
        self._mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs")

    def enlarge(self):
        self._mount("-o", "remount,size=64m")

    def fill(self):
        space = os.statvfs(self.path)
        (self.path / "filler").write_bytes(bytes(space.f_bavail * space.f_frsize))

    def empty(self):
        (self.path / "filler").unlink()

    def unmount(self):
        subprocess.run(["umount", self.path], check=True)  # noqa: S607

    def _mount(self, *words):
        subprocess.run(["mount", *words, self.path], check=True, capture_output=True)  # noqa: S607


@pytest.fixture
def disk(tmp_path):
    """Makes a small disk, where this process may mount one."""
    made = []

    def make(size):
        (tmp_path / "disk").mkdir()
        try:
            made.append(Disk(tmp_path / "disk", size))
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"may not mount a disk of its own: {error}")
        return made[-1]

    yield make
    for each in made:
        each.unmount()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("full-disk") / "run"
    done = run(*TRAIN, "--out", folder)
    assert done.returncode == 0, done.stderr
    return folder


def files(folder):
    """Every file and its content; nothing that was begun and left."""
    found = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    assert not [path for path in found if is_leftover(path)]
    return {name: path.read_bytes() for name, path in found.items() if name.name != "filler"}


def assert_full(done, reason="No space left on device; make room on the disk"):
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    (said,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert reason in said
    assert "Run the same command again" in said


def test_training_goes_on_when_there_is_room(disk):
    small = disk("200k")  # a model is larger
    out = small.path / "run"
    done = run(*TRAIN, "--out", out)
    assert_full(done)
    assert f"{out} keeps what was done" in done.stderr
    assert {path.name for path in files(out)} == {"config.toml", "metrics.jsonl", "versions.json"}
    small.enlarge()
    done = run(*TRAIN, "--out", out)
    assert done.returncode == 0, done.stderr
    assert (out / "model.safetensors").is_file()


def test_the_limit_of_a_file_is_such_an_end_too(tmp_path):
    done = run(*TRAIN, "--out", tmp_path / "run", limit=100_000)
    assert_full(done, "File too large; raise the limit on the size of files: ulimit -f")
    assert "model.safetensors" not in {path.name for path in files(tmp_path / "run")}


def test_an_export_replaces_the_earlier_one_whole_or_not_at_all(disk, trained, tmp_path):
    small = disk("2m")
    words = ["export", trained, "--key", tmp_path / "key.pem", "--out", small.path / "export"]
    done = run(*words)
    assert done.returncode == 0, done.stderr
    before = files(small.path)
    small.fill()
    assert_full(run(*words))
    assert files(small.path) == before
    small.empty()
    done = run(*words)
    assert done.returncode == 0, done.stderr


def test_an_audit_keeps_its_attacks_and_the_earlier_report(disk, trained):
    small = disk("16m")
    words = ["audit", trained, *QUICK, "--out", small.path / "audit"]
    done = run(*words)
    assert done.returncode == 0, done.stderr
    before = files(small.path)
    small.fill()
    done = run(*words)
    assert_full(done)
    assert "finished attacks are kept" in done.stderr
    assert files(small.path) == before
    small.empty()
    done = run(*words)
    assert done.returncode == 0, done.stderr


def test_a_sweep_blames_no_trial_for_a_full_disk(disk):
    small = disk("200k")
    out = small.path / "sweep"
    done = run(*SWEEP, "--out", out)
    assert_full(done)
    assert "failed" not in done.stderr
    assert not list(out.glob("trials/*/model.safetensors"))
    small.enlarge()
    done = run(*SWEEP, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "failed" not in done.stderr
    assert len(list(out.glob("trials/*/cheap.json"))) == 2
    files(out)


def test_a_database_that_cannot_grow_is_one_message(tmp_path):
    """SQLite says so in its own way."""
    done = run(*SWEEP, "--out", tmp_path / "sweep", limit=8192)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "disk I/O error" in done.stderr.splitlines()[-1]
