"""Folders as people have them: read as meant, or refused; what is left out is counted."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from tests.data.encoded import encode

from mixcon.data import load
from mixcon.data.notes import note
from mixcon.errors import DataError

pytestmark = pytest.mark.usefixtures("own_cache")


def picture(value, height=8, width=8):
    return np.full((height, width), value, np.uint8)


def write(path, content=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(picture(0)) if content is None else content)


def fill(root, classes="ab", count=10, value=0):
    """Flat pictures: that of class c, number i, is of `value` + 20 c + i."""
    for label, name in enumerate(classes):
        for i in range(count):
            write(root / name / f"{i:03}.png", encode(picture(value + 20 * label + i)))


def values(part):
    return part.inputs[:, 0, 0, 0].tolist()


def test_classes_hold_out_a_fifth_in_no_pattern(tmp_path):
    fill(tmp_path)
    splits = load(f"folder:{tmp_path}")
    assert splits.train.classes == ("a", "b")
    assert splits.train.shape == (1, 8, 8)
    assert splits.test.labels.tolist() == [0, 0, 1, 1]
    assert values(splits.test) == [4, 6, 24, 26]
    assert values(splits.train) == [0, 1, 2, 3, 5, 7, 8, 9, 20, 21, 22, 23, 25, 27, 28, 29]


@pytest.mark.parametrize(
    ("train", "test"), [("train", "test"), ("train", "val"), ("Training", "Validation")]
)
def test_parts_by_their_usual_names(tmp_path, train, test):
    fill(tmp_path / train)
    fill(tmp_path / test, count=2, value=100)
    splits = load(f"folder:{tmp_path}")
    assert splits.train.classes == ("a", "b")
    assert (len(splits.train), values(splits.test)) == (20, [100, 101, 120, 121])


def test_a_third_part_is_left_out_aloud(tmp_path, caplog):
    for part, value in (("train", 0), ("val", 100), ("test", 200)):
        fill(tmp_path / part, count=2, value=value)
    assert values(load(f"folder:{tmp_path}").test) == [200, 201, 220, 221]
    assert f"{tmp_path}: left out 4 images in val/" in caplog.text


def test_an_archive_whose_test_part_has_no_labels(tmp_path, caplog):
    """ImageNet's: `test/` holds loose files, `val/` the labeled ones."""
    fill(tmp_path / "train")
    fill(tmp_path / "val", count=2, value=100)
    for i in range(3):
        write(tmp_path / "test" / f"{i}.JPEG")
    assert values(load(f"folder:{tmp_path}").test) == [100, 101, 120, 121]
    assert f"{tmp_path}: left out 3 images in test/" in caplog.text


@pytest.mark.parametrize("parts", [["train"], ["test", "val"]])
def test_part_of_the_parts_is_refused(tmp_path, parts):
    for part in parts:
        fill(tmp_path / part)
    with pytest.raises(DataError, match=r"expected train/ and test/.*a fifth"):
        load(f"folder:{tmp_path}")


def test_a_class_may_be_called_train(tmp_path):
    fill(tmp_path, ["bus", "train"])
    assert load(f"folder:{tmp_path}").train.classes == ("bus", "train")


@pytest.mark.parametrize(
    ("ours", "theirs", "where"), [("abc", "ab", "train"), ("ab", "abc", "test")]
)
def test_a_class_of_one_part_alone_is_refused(tmp_path, ours, theirs, where):
    fill(tmp_path / "train", ours)
    fill(tmp_path / "test", theirs)
    with pytest.raises(DataError, match=f"same classes.*c in {where}/ alone"):
        load(f"folder:{tmp_path}")


def test_what_systems_leave_behind_is_no_class_and_no_image(tmp_path, caplog):
    fill(tmp_path, count=5)
    for name in (".ipynb_checkpoints", ".git", "__MACOSX", "@eaDir"):
        write(tmp_path / name / "000.png")
        write(tmp_path / "a" / name / "000.png")
    for name in (".DS_Store", "Thumbs.db", "._000.png"):
        write(tmp_path / "a" / name, b"no image")
        write(tmp_path / name, b"no image")
    splits = load(f"folder:{tmp_path}")
    assert splits.train.classes == ("a", "b")
    assert len(splits.train) + len(splits.test) == 10
    assert f"{tmp_path}: left out 7 hidden" in caplog.text
    assert "a: left out 7 hidden" in caplog.text


def test_subfolders_and_endings_count(tmp_path, caplog):
    fill(tmp_path, count=5)
    for i, ending in enumerate(["JPG", "Jpeg", "tif", "gif", "webp", "bmp"]):
        kind = {"JPG": "JPEG", "Jpeg": "JPEG", "tif": "TIFF"}.get(ending, ending.upper())
        write(tmp_path / "a" / "more" / str(i) / f"x.{ending}", encode(picture(200), kind))
    for name in ("1.heic", "2.HEIC", "scan.dcm", "README"):
        write(tmp_path / "a" / name, b"?")
    write(tmp_path / "loose.png")
    (tmp_path / "a" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    splits = load(f"folder:{tmp_path}")
    assert len(splits.train) + len(splits.test) == 16
    for words in ("2 .heic", "1 .dcm", "1 without an ending", "1 linked folder", "1 broken link"):
        assert words in caplog.text
    assert f"{tmp_path}: left out 1 images beside the folders" in caplog.text
    said = len(caplog.records)
    load(f"folder:{tmp_path}")
    assert len(caplog.records) == said  # once is enough


def test_notes_reach_standard_error():
    code = "from mixcon.data.notes import note; note('look')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "note: look\n")


def test_errors_name_the_file(tmp_path):
    with pytest.raises(DataError, match="there is none"):
        load(f"folder:{tmp_path / 'none'}")
    with pytest.raises(DataError, match="two or more classes, but got 0; if the"):
        load(f"folder:{tmp_path}")
    fill(tmp_path)
    (tmp_path / "c").mkdir()
    with pytest.raises(DataError, match=r"c: expected images.*but got none"):
        load(f"folder:{tmp_path}")
    write(tmp_path / "c" / "x.heic")
    with pytest.raises(DataError, match=r"c: expected images.*but got only 1 \.heic; convert"):
        load(f"folder:{tmp_path}")
    write(tmp_path / "c" / "x.png", b"no image")
    with pytest.raises(DataError, match=r"x\.png"):
        load(f"folder:{tmp_path}")
    write(tmp_path / "c" / "x.png", encode(picture(0, 9, 9)))
    with pytest.raises(DataError, match=r"x\.png.*8 x 8.*9 x 9.*--resize 32"):
        load(f"folder:{tmp_path}")


def test_all_that_cannot_be_read_are_named_at_once(tmp_path):
    fill(tmp_path)
    for i in (0, 3, 5):
        write(tmp_path / "a" / f"{i:03}.png", b"no image")
    write(tmp_path / "b" / "000.png", encode(picture(0, 9, 9)))
    with pytest.raises(DataError, match=r"000\.png: expected 8 x 8 pixels like \S+001\.png"):
        load(f"folder:{tmp_path}")
    write(tmp_path / "b" / "000.png")
    with pytest.raises(DataError, match=r"bytes are none.*; 2 more cannot be read: \S+, \S+g$"):
        load(f"folder:{tmp_path}")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_named(tmp_path):
    fill(tmp_path)
    (tmp_path / "a" / "000.png").chmod(0)
    with pytest.raises(DataError, match=r"000\.png.*Permission denied"):
        load(f"folder:{tmp_path}")
    (tmp_path / "b").chmod(0)
    try:
        with pytest.raises(DataError, match=r"b: .*Permission denied"):
            load(f"folder:{tmp_path}")
    finally:
        (tmp_path / "b").chmod(0o755)


def test_color_pictures_get_three_channels(tmp_path):
    for name in "ab":
        for i in range(5):
            write(tmp_path / name / f"{i}.png", encode(np.full((6, 7, 3), [10, 20, i], np.uint8)))
    train = load(f"folder:{tmp_path}").train
    assert train.shape == (3, 6, 7)
    assert train.inputs[0, :, 0, 0].tolist() == [10, 20, 1]


def test_resize_brings_all_to_one_size(tmp_path):
    random = np.random.default_rng(0)
    for name in "ab":
        for i in range(5):
            noise = random.integers(0, 256, (40 + i, 50 - i), np.uint8)
            write(tmp_path / name / f"{i}.png", encode(noise))
    train = load(f"folder:{tmp_path}", resize=32).train
    assert train.shape == (1, 32, 32)
    assert train.name == f"folder:{tmp_path.name}@32"
    with Image.open(tmp_path / "a" / "1.png") as file:
        expected = np.asarray(file.resize((32, 32), Image.Resampling.BILINEAR))
    assert np.array_equal(train.inputs[0, 0].numpy(), expected)
    assert load(f"folder:{tmp_path}", resize=28).train.shape == (1, 28, 28)


def test_a_second_load_does_not_decode(tmp_path, monkeypatch):
    fill(tmp_path)
    first = load(f"folder:{tmp_path}")
    with monkeypatch.context() as patch:
        patch.setattr(
            sys.modules["mixcon.data.image_folder"], "decode", lambda *_, **__: pytest.fail("again")
        )
        assert torch.equal(load(f"folder:{tmp_path}").train.inputs, first.train.inputs)
    write(tmp_path / "a" / "001.png", encode(picture(99)))
    assert values(load(f"folder:{tmp_path}").train)[1] == 99


def test_a_cache_that_cannot_be_written_is_no_obstacle(tmp_path, monkeypatch, caplog):
    fill(tmp_path / "data")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MIXCON_CACHE", str(tmp_path / "file" / "cache"))
    note.cache_clear()
    assert len(load(f"folder:{tmp_path / 'data'}").test) == 4
    assert "MIXCON_CACHE" in caplog.text


def test_a_relative_path_and_the_home_folder(tmp_path, monkeypatch):
    fill(tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    assert load("folder:photos").train.name == "folder:photos"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir("/")
    assert len(load("folder:~/photos").test) == 4
