"""Images for the device: found, counted, and prepared as training prepared them."""

import io
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from tests.data.encoded import encode

from mixcon.errors import DataError
from mixcon.serving import export_run
from mixcon.serving.images import find, prepare
from mixcon.training import TrainConfig, train

PICTURE = encode(np.zeros((8, 8), np.uint8))


@pytest.fixture
def piped(monkeypatch):
    """What `find` makes of this standard input."""

    def through(content):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
        return find(["-"])

    return through


def test_a_folder_is_searched_and_what_is_left_out_is_said(tmp_path, caplog):
    for name in ("b.PNG", "a/deep/1.png", ".git/2.png", "._b.PNG", "Thumbs.db", "3.heic"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(PICTURE)
    found = find([str(tmp_path)])
    assert [name for name, _ in found] == [f"{tmp_path}/a/deep/1.png", f"{tmp_path}/b.PNG"]
    assert "left out 3 hidden, 1 .heic" in caplog.text
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match=r"none: expected images.*but got none"):
        find([str(tmp_path / "none")])


def test_standard_input_is_an_image_or_a_list(piped, tmp_path):
    for name in ("1.png", "two words.png", "\u00e4.png"):
        (tmp_path / name).write_bytes(PICTURE)
    names = [f"{tmp_path}/1.png", f"{tmp_path}/two words.png", f"{tmp_path}/\u00e4.png"]
    assert piped(PICTURE) == [("<stdin>", PICTURE)]
    assert [name for name, _ in piped("\n".join(names).encode())] == names
    assert [name for name, _ in piped(("\r\n".join(names) + "\r\n").encode("utf-8-sig"))] == names
    plain = b"P2 2 1 255\n0 255\n"  # an image, though a text
    assert piped(plain) == [("<stdin>", plain)]


def test_a_missing_file_of_a_list_is_named(piped, tmp_path):
    (tmp_path / "1.png").write_bytes(PICTURE)
    lines = f"{tmp_path}/1.png\n\n{tmp_path}/gone.png\n"
    with pytest.raises(DataError, match=r"line 3 of standard input: .*gone\.png: expected"):
        piped(lines.encode())


def test_what_is_neither_image_nor_list_is_one_error(piped, plain_contract):
    [(name, content)] = piped(b"\x00\xff junk")
    with pytest.raises(DataError, match="<stdin>: expected an image"):
        prepare(name, content, plain_contract)
    with pytest.raises(DataError, match=r"standard input: expected an image, or a list.*nothing"):
        piped(b"")


@pytest.fixture
def plain_contract(plain_export):
    return plain_export.contract


def test_the_device_prepares_images_as_training_did(tmp_path, monkeypatch, keys):
    """Trained with a resize: phones' pictures of any size and orientation, the same pixels."""
    monkeypatch.setenv("MIXCON_CACHE", str(tmp_path / "cache"))
    random, exif = np.random.default_rng(0), Image.Exif()
    exif[0x0112] = 6
    for name in "ab":
        for i in range(5):
            noise = random.integers(0, 256, (40 + i, 50, 3), np.uint8)
            (tmp_path / "photos" / name).mkdir(parents=True, exist_ok=True)
            (tmp_path / "photos" / name / f"{i}.png").write_bytes(encode(noise, exif=exif))
    monkeypatch.chdir(tmp_path)
    config = TrainConfig(data="folder:photos", network="lenet5", epochs=1, resize=28)
    train(config, tmp_path / "run")
    monkeypatch.chdir("/")
    done = export_run(tmp_path / "run", tmp_path / "out", key=keys)
    assert done.contract.name == "folder-photos-28-lenet5-vanilla"  # no path of this machine
    assert done.contract.preprocessing.resize == "bilinear"
    trained_on = config.load_data().test
    for label, name in enumerate("ab"):
        file = tmp_path / "photos" / name / "0.png"
        assert np.array_equal(prepare("x", file, done.contract), trained_on.inputs[label].numpy())


def test_other_sizes_are_refused_unless_asked_for(plain_contract, tmp_path):
    assert plain_contract.preprocessing.resize is None
    with pytest.raises(DataError, match=r"x: expected 28 x 28 pixels, but got 8 x 8.*--resize"):
        prepare("x", PICTURE, plain_contract)
    assert prepare("x", PICTURE, plain_contract, resize=True).shape == (1, 28, 28)
    deep = encode(np.full((28, 28), 127 * 257, np.uint16))
    assert prepare("x", deep, plain_contract).mean() == 127
    with pytest.raises(
        DataError, match=r"gone\.png: expected a file to read, but got: No such file"
    ):
        prepare("x", tmp_path / "gone.png", plain_contract)
