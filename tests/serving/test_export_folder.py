"""The folder of an export: whole, or as it was."""

import errno
import os
import shutil

import pytest

from mixcon._files import write_whole
from mixcon.errors import ConfigError
from mixcon.serving.export_folder import refuse_foreign, staged

FILES = ("cloud/contract.json", "cloud/head.onnx", "edge/contract.json", "edge/encoder.onnx",
         "public-key.pem")  # fmt: skip


def contents(out):
    return {str(f.relative_to(out)): f.read_text() for f in out.rglob("*") if f.is_file()}


def write(out, text):
    refuse_foreign(out)
    with staged(out) as stage:
        for file in FILES:
            write_whole(stage / file, text)


@pytest.fixture(params=[False, True], ids=["new", "earlier"])
def out(request, tmp_path):
    if request.param:
        write(tmp_path / "out", "earlier")
    return tmp_path / "out"


@pytest.mark.parametrize("written", range(len(FILES)))
def test_a_full_disk_leaves_what_was_there(out, written, monkeypatch):
    before, writes = contents(out), []

    def fsync(handle, real=os.fsync):
        writes.append(handle)
        if len(writes) > written:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(OSError, match="No space left"):
            write(out, "new")
    assert contents(out) == before
    assert out.exists() == bool(before)
    write(out, "new")
    assert contents(out) == dict.fromkeys(FILES, "new")


class Killed(BaseException):
    """The process is gone: nothing is cleaned up."""


@pytest.mark.parametrize("moved", range(len(FILES)))
def test_what_a_kill_leaves_is_no_valid_half_and_the_next_export_mends_it(out, moved, monkeypatch):
    moves = []

    def replace(source, target, real=os.replace):
        if ".partial" in str(source) and ".partial" not in str(target):
            if len(moves) == moved:
                raise Killed
            moves.append(target)
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace)
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(Killed):
            write(out, "new")
    assert (out / ".partial").exists()
    found = contents(out)
    if found.get("edge/contract.json") == "new":
        assert found["edge/encoder.onnx"] == "new"
    if found.get("cloud/contract.json") == "new":
        assert found["cloud/head.onnx"] == "new"
    write(out, "new")
    assert contents(out) == dict.fromkeys(FILES, "new")


def test_files_of_others_stay(out):
    write(out, "new")
    (out / "notes.txt").write_text("mine")
    write(out, "newer")
    assert contents(out) == dict.fromkeys(FILES, "newer") | {"notes.txt": "mine"}
    (out / "edge" / "contract.json").unlink()
    with pytest.raises(ConfigError, match="other files"):
        write(out, "newest")


def test_what_cannot_be_written_is_refused_before_the_work(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ConfigError, match="other files; choose another --out"):
        write(tmp_path / "file", "new")
    with pytest.raises(ConfigError, match="that can be written, but got Not a directory"):
        write(tmp_path / "file" / "below", "new")
