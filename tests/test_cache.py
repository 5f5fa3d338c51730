"""The cache: whole, sealed, and never in the way."""

import os
import stat
from pathlib import Path

import pytest
import torch

from mixcon._cache import digest, kept
from mixcon._places import cache_folder

MADE = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor(7), "c": torch.tensor([True])}


def make():
    return MADE


def never():
    pytest.fail("it was kept, and made again all the same")


def same(found):
    return set(found) == set(MADE) and all(torch.equal(found[name], MADE[name]) for name in MADE)


def test_made_once(own_cache):
    assert same(kept("key", make))
    assert same(kept("key", never))
    assert [path.name for path in own_cache.iterdir()] == ["key.safetensors"]


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "garbage", "folder"])
def test_what_is_damaged_is_made_again(own_cache, damage):
    kept("key", make)
    path = own_cache / "key.safetensors"
    whole = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    else:
        flipped = whole[:-1] + bytes([whole[-1] ^ 1])  # a number, the form is as it was
        path.write_bytes(
            {"cut": whole[:-3], "flipped": flipped, "empty": b"", "garbage": b"\xff" * 99}[damage]
        )
    calls = []
    assert same(kept("key", lambda: calls.append(1) or MADE))
    assert calls
    if damage != "folder":
        assert path.read_bytes() == whole


@pytest.mark.parametrize("place", ["file", "below a file"])
def test_where_nothing_can_be_written_one_line_says_so(tmp_path, monkeypatch, caplog, place):
    (tmp_path / "file").write_text("mine")
    where = tmp_path / "file" if place == "file" else tmp_path / "file" / "below"
    monkeypatch.setenv("MIXCON_CACHE", str(where))
    for _ in range(2):
        assert same(kept("key", make))
    assert len(caplog.messages) == 1
    assert str(where) in caplog.messages[0]
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_the_right_to_write(own_cache, caplog):
    own_cache.mkdir(mode=stat.S_IRUSR | stat.S_IXUSR)
    assert same(kept("key", make))
    assert "ermission" in caplog.text


def test_where_it_lies(monkeypatch):
    for unset in ("MIXCON_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(unset, raising=False)
    assert cache_folder() == Path.home() / ".cache" / "mixcon"
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert cache_folder() == Path("/x/mixcon")
    monkeypatch.setenv("MIXCON_CACHE", "/own")
    assert cache_folder() == Path("/own")


def test_a_digest_tells_values_types_and_shapes_apart():
    x = torch.zeros(4)
    tensors = [
        (x,),
        (x.double(),),
        (x.int(),),
        (x.view(2, 2),),
        (x, x),
        (torch.zeros(8),),
        (x + 1,),
    ]
    variants = [*tensors, (x, 0), (x, "0"), (x, 0.0), (x, None)]
    assert len({digest(*parts) for parts in variants}) == len(variants)
    assert digest(x, 3, "a") == digest(x.clone(), 3, "a")
    assert digest(torch.arange(6).view(2, 3).T) == digest(torch.arange(6).view(2, 3).T.contiguous())
