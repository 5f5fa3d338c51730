"""Data sets: what comes in, what is refused."""

import io
import os

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from mixcon.data import LabeledSet, Splits, load
from mixcon.data import hub as hub_module
from mixcon.errors import ConfigError, DataError

needs_data = pytest.mark.skipif("MIXCON_DATA" not in os.environ, reason="MIXCON_DATA is not set")


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def pictures():
    bunch = load_digits()
    return (bunch.images[:40] * 15).astype(np.uint8), bunch.target[:40]


@pytest.fixture
def parquet(tmp_path, monkeypatch, pictures):
    """Writes a tiny `mnist` of real digits; keywords damage it."""
    monkeypatch.setenv("MIXCON_CACHE", str(tmp_path / "cache"))

    def write(part="train", column="image", cells=None, labels=None):
        images, targets = pictures
        cells = [{"bytes": png(i), "path": None} for i in images] if cells is None else cells
        table = pa.table({column: cells, "label": targets if labels is None else labels})
        (tmp_path / "mnist").mkdir(exist_ok=True)
        path = tmp_path / "mnist" / f"{part}-00000-of-00001.parquet"
        pq.write_table(table, path)
        return path

    write("train")
    write("test")
    return write


def test_parquet_equals_the_pixels_written(parquet, pictures, tmp_path):
    splits = load("mnist", data_dir=tmp_path)
    assert torch.equal(splits.train.inputs, torch.from_numpy(pictures[0]).unsqueeze(1))
    assert torch.equal(splits.train.labels, torch.from_numpy(pictures[1]))
    assert splits.train.name == "mnist-0k"  # 40 of 60,000: named as the subset it is
    assert not list((tmp_path / "mnist").glob("*.lock"))


def test_second_load_does_not_decode_and_damage_heals(parquet, tmp_path, monkeypatch):
    first = load("mnist", data_dir=tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(hub_module, "decode", lambda *_: pytest.fail("decoded again"))
        assert torch.equal(load("mnist", data_dir=tmp_path).train.inputs, first.train.inputs)
    for file in (tmp_path / "cache").iterdir():
        file.write_bytes(file.read_bytes()[:100])
    assert torch.equal(load("mnist", data_dir=tmp_path).train.inputs, first.train.inputs)


def test_a_changed_file_is_read_anew(parquet, pictures, tmp_path):
    load("mnist", data_dir=tmp_path)
    parquet("train", cells=[{"bytes": png(255 - i), "path": None} for i in pictures[0]])
    got = load("mnist", data_dir=tmp_path).train.inputs
    assert torch.equal(got, 255 - torch.from_numpy(pictures[0]).unsqueeze(1))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda write: write(column="picture"), "picture, label"),
        (lambda write: write(cells=[{"bytes": b"no image", "path": None}] * 40), "row 0"),
        (
            lambda write: write(
                cells=[
                    {"bytes": png(np.zeros((8, 8 + (i == 7)), np.uint8)), "path": None}
                    for i in range(40)
                ]
            ),
            "row 7: expected 8 x 8 pixels",
        ),
        (lambda write: write(labels=np.arange(40) % 9), "no class 9"),
        (lambda write: write(labels=np.arange(40) % 11), "labels from 0 to 9"),
        (lambda write: write().write_bytes(b"PAR1 cut off"), "readable Parquet"),
        (lambda write: write().unlink(), "train-00000"),
    ],
)
def test_damaged_parquet_is_one_clear_error(parquet, tmp_path, damage, message):
    damage(parquet)
    with pytest.raises(DataError, match=message):
        load("mnist", data_dir=tmp_path)


def test_missing_folders_name_themselves(tmp_path):
    with pytest.raises(DataError, match=r"nowhere.*--data-dir"):
        load("mnist", data_dir=tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"svhn.*MIXCON_DATA"):
        load("svhn", data_dir=tmp_path)


def test_an_unreachable_hub_says_what_to_do(monkeypatch):
    monkeypatch.delenv("MIXCON_DATA", raising=False)

    def offline(*_, **__):
        raise ConnectionError("no network")

    monkeypatch.setattr(
        datasets, "load_dataset", offline
    )  # a stand-in: CI must not wait for a network
    with pytest.raises(DataError, match="--data-dir or MIXCON_DATA"):
        load("mnist")


def test_unknown_name_lists_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'fashion_mnist'"):
        load("fashion-mnist")


def write_folder(root, pictures, classes="ab"):
    for i, pixels in enumerate(pictures[0]):
        folder = root / classes[i % len(classes)]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{i:03}.png").write_bytes(png(pixels))


def test_folder_of_classes_holds_out_every_fifth(tmp_path, pictures):
    write_folder(tmp_path, pictures)
    splits = load(f"folder:{tmp_path}")
    assert splits.train.classes == ("a", "b")
    assert (len(splits.train), len(splits.test)) == (32, 8)
    assert torch.equal(splits.test.inputs[0, 0], torch.from_numpy(pictures[0][0]))
    assert splits.test.labels.tolist() == [0] * 4 + [1] * 4


def test_folder_with_its_own_test_part(tmp_path, pictures):
    write_folder(tmp_path / "train", pictures)
    write_folder(tmp_path / "test", (pictures[0][:4], None))
    splits = load(f"folder:{tmp_path}")
    assert (len(splits.train), len(splits.test)) == (40, 4)


def test_folder_errors_name_the_file(tmp_path, pictures):
    with pytest.raises(DataError, match="there is none"):
        load(f"folder:{tmp_path / 'none'}")
    write_folder(tmp_path, pictures)
    (tmp_path / "c").mkdir()
    with pytest.raises(DataError, match=r"c: expected images"):
        load(f"folder:{tmp_path}")
    (tmp_path / "c" / "x.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"x\.png"):
        load(f"folder:{tmp_path}")
    (tmp_path / "c" / "x.png").write_bytes(png(np.zeros((9, 9), np.uint8)))
    with pytest.raises(DataError, match=r"x\.png.*8 x 8.*9 x 9"):
        load(f"folder:{tmp_path}")


def test_color_pictures_get_three_channels(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        for i in range(5):
            pixels = np.full((6, 7, 3), [10, 20, i], np.uint8)
            (tmp_path / name / f"{i}.png").write_bytes(png(pixels))
    train = load(f"folder:{tmp_path}").train
    assert train.shape == (3, 6, 7)
    assert train.inputs[0, :, 0, 0].tolist() == [10, 20, 1]


def test_synthetic_has_the_paper_s_moments_and_flips():
    splits = load("synthetic", seed=3)
    assert (len(splits.train), len(splits.test)) == (800, 200)
    assert torch.equal(splits.train.inputs, load("synthetic", seed=3).train.inputs)
    assert not torch.equal(splits.train.inputs, load("synthetic", seed=4).train.inputs)
    nearer_zero = splits.train.inputs.sum(1) > -5  # the Bayes rule
    agreement = (nearer_zero.long() == splits.train.labels).float().mean().item()
    assert 0.86 < agreement < 0.94  # 0.899 is expected with 5 % of the labels flipped


def test_digits_split_shares_no_image_and_has_every_class():
    splits = load("digits")
    assert len(splits.train) + len(splits.test) == 1797
    assert splits.test.labels.unique().tolist() == list(range(10))
    assert splits.train.shape == (1, 28, 28)


def test_batches_equal_plain_indexing():
    train = load("digits").train
    order = torch.randperm(100, generator=torch.Generator().manual_seed(0))
    batches = list(train.batches(32, order))
    assert [len(y) for _, y in batches] == [32, 32, 32, 4]
    assert torch.equal(torch.cat([x for x, _ in batches]), train.inputs[order].float() / 255)
    assert torch.equal(torch.cat([y for _, y in train.batches(999)]), train.labels)


@pytest.mark.parametrize(
    ("inputs", "labels"),
    [
        (torch.zeros(3, 4, 4, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64)),
        (torch.zeros(3, 4), torch.zeros(2, dtype=torch.int64)),
        (torch.zeros(3, 4), torch.zeros(3)),
        (torch.zeros(3, 4), torch.tensor([0, 1, 2])),
        (torch.full((3, 4), torch.nan), torch.zeros(3, dtype=torch.int64)),
    ],
)
def test_sets_that_do_not_fit_together_are_refused(inputs, labels):
    with pytest.raises(DataError):
        LabeledSet("x", inputs, labels, ("a", "b"))


def test_parts_must_be_alike():
    a = LabeledSet("x", torch.zeros(2, 4), torch.tensor([0, 1]), ("a", "b"))
    b = LabeledSet("x", torch.zeros(2, 5), torch.tensor([0, 1]), ("a", "b"))
    with pytest.raises(DataError, match="alike"):
        Splits(a, b)


@needs_data
@pytest.mark.parametrize(
    ("name", "title", "shape", "rows"),
    [("mnist", "mnist", (1, 28, 28), 10_000), ("svhn", "svhn-10k", (3, 32, 32), 2_001)],
)
def test_real_sets(name, title, shape, rows):
    test = load(name).test
    assert (test.name, test.shape, len(test)) == (title, shape, rows)


def test_a_slice_is_the_first_samples_of_each_part():
    whole, few = load("digits"), load("digits[:50]")
    assert few.train.name == few.test.name == "digits[:50]"
    assert torch.equal(few.train.inputs, whole.train.inputs[:50])
    assert torch.equal(few.test.labels, whole.test.labels[:50])
    assert len(load("digits[:1000]").test) == len(whole.test)


def test_a_slice_without_some_class_is_refused():
    with pytest.raises(DataError, match=r"digits\[:3\]: expected samples of every class"):
        load("digits[:3]")
