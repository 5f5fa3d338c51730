"""Data sets: what comes in, what is refused."""

import os
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits
from tests.data.encoded import encode

from mixcon.data import LabeledSet, Splits, load
from mixcon.data import hub as hub_module
from mixcon.data.sources import SOURCES
from mixcon.errors import ConfigError, DataError

needs_data = pytest.mark.skipif("MIXCON_DATA" not in os.environ, reason="MIXCON_DATA is not set")


@pytest.fixture
def pictures():
    bunch = load_digits()
    return (bunch.images[:40] * 15).astype(np.uint8), bunch.target[:40]


@pytest.fixture
def parquet(own_cache, tmp_path, pictures):
    """Writes a tiny `mnist` of real digits; keywords damage it."""

    def write(part="train", column="image", cells=None, labels=None):
        images, targets = pictures
        cells = [{"bytes": encode(i), "path": None} for i in images] if cells is None else cells
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
        patch.setattr(hub_module, "decode", lambda *_, **__: pytest.fail("decoded again"))
        assert torch.equal(load("mnist", data_dir=tmp_path).train.inputs, first.train.inputs)
    for file in Path(os.environ["MIXCON_CACHE"]).iterdir():
        file.write_bytes(file.read_bytes()[:100])
    assert torch.equal(load("mnist", data_dir=tmp_path).train.inputs, first.train.inputs)


def test_a_changed_file_is_read_anew(parquet, pictures, tmp_path):
    load("mnist", data_dir=tmp_path)
    parquet("train", cells=[{"bytes": encode(255 - i), "path": None} for i in pictures[0]])
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
                    {"bytes": encode(np.zeros((8, 8 + (i == 7)), np.uint8)), "path": None}
                    for i in range(40)
                ]
            ),
            "row 7: expected 8 x 8 pixels",
        ),
        (lambda write: write(cells=[None] * 40), "row 0: expected an image within"),
        (lambda write: write(cells=[{"bytes": None, "path": "a.png"}] * 40), "row 0: expected"),
        (lambda write: write(labels=[None, *[1] * 39]), "row 0: expected a whole number"),
        (lambda write: write(labels=["cat"] * 40), "row 0: expected a whole number.*'cat'"),
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


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["00000-of-00002"], r"expected 2 files.*got 1, without number \[1\]"),
        (["00001-of-00003", "00002-of-00003"], r"expected 3 files.*without number \[0\]"),
        (["00000-of-00001", "00000-of-00002"], "one version"),
        (["00000-of-00001", "old"], "one version"),
    ],
)
def test_some_of_the_shards_are_not_the_set(parquet, tmp_path, names, message):
    whole = parquet()
    content = whole.read_bytes()
    whole.unlink()
    for name in names:
        (tmp_path / "mnist" / f"train-{name}.parquet").write_bytes(content)
    with pytest.raises(DataError, match=message):
        load("mnist", data_dir=tmp_path)


def test_all_shards_are_read_in_order(parquet, pictures, tmp_path):
    halves = [{"bytes": encode(i), "path": None} for i in pictures[0]]
    for part, cells, labels in (
        (0, halves[:20], pictures[1][:20]),
        (1, halves[20:], pictures[1][20:]),
    ):
        parquet(cells=cells, labels=labels).rename(
            tmp_path / "mnist" / f"train-0000{part}-of-00002.parquet"
        )
    train = load("mnist", data_dir=tmp_path).train
    assert torch.equal(train.inputs, torch.from_numpy(pictures[0]).unsqueeze(1))
    assert torch.equal(train.labels, torch.from_numpy(pictures[1]))


def test_sixteen_bits_within_parquet(parquet, pictures, tmp_path):
    deep = [{"bytes": encode(i.astype(np.uint16) * 257), "path": None} for i in pictures[0]]
    parquet(cells=deep)
    train = load("mnist", data_dir=tmp_path).train
    assert torch.equal(train.inputs, torch.from_numpy(pictures[0]).unsqueeze(1))


def test_resize_of_any_set(parquet, pictures, tmp_path):
    train = load("mnist", data_dir=tmp_path, resize=12).train
    assert (train.name, train.shape) == ("mnist-0k@12", (1, 12, 12))
    expected = Image.fromarray(pictures[0][3]).resize((12, 12), Image.Resampling.BILINEAR)
    assert np.array_equal(train.inputs[3, 0].numpy(), np.asarray(expected))
    with pytest.raises(ConfigError, match="synthetic has vectors"):
        load("synthetic", resize=12)


def test_synthetic_has_the_paper_s_moments_and_flips():
    splits = load("synthetic", seed=3)
    assert (len(splits.train), len(splits.test)) == (800, 200)
    assert torch.equal(splits.train.inputs, load("synthetic", seed=3).train.inputs)
    assert not torch.equal(splits.train.inputs, load("synthetic", seed=4).train.inputs)
    nearer_zero = splits.train.inputs.sum(1) > -5  # the Bayes rule
    agreement = (nearer_zero.long() == splits.train.labels).float().mean().item()
    assert 0.86 < agreement < 0.94  # 0.899 is expected with 5 % of the labels flipped


def test_clean_synthetic_flips_training_labels_alone():
    flipped, clean = load("synthetic", seed=3), load("synthetic-clean", seed=3)
    assert torch.equal(flipped.train.labels, clean.train.labels)
    assert torch.equal(flipped.test.inputs, clean.test.inputs)
    assert clean.test.labels.tolist() == [0, 1] * 100
    assert (flipped.test.labels != clean.test.labels).sum() == 10


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


def test_test_samples_of_one_class_are_refused(digits):
    alike = digits.test.take(digits.test.labels == 3)
    with pytest.raises(DataError, match="all are of 3; mix the samples before they are split"):
        Splits(digits.train, alike)


def test_a_part_of_a_set_has_all_classes_in_whatever_order_they_come(digits):
    by_class = digits.test.take(digits.test.labels.argsort())
    few = by_class.mixed(100)
    assert len(few) == 100
    assert len(few.labels.unique()) == 10
    assert torch.equal(few.inputs, by_class.mixed(100).inputs)
    assert len(by_class.mixed(10_000)) == len(by_class)


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


def test_numbers_that_are_missing_are_counted_and_their_columns_named():
    rows = torch.zeros(6, 4)
    rows[1, 2], rows[3, 2], rows[3, 0] = torch.nan, torch.inf, torch.nan
    with pytest.raises(DataError, match=r"NaN or infinity in 2 of 6 samples, in column 0, 2;"):
        LabeledSet("own", rows, torch.arange(6) % 2, ("a", "b"))
    with pytest.raises(DataError, match="in 2 of 6 samples; leave those out"):
        LabeledSet("own", rows[:, None], torch.arange(6) % 2, ("a", "b"))


def uneven():
    rows = torch.randn(20, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor(
        [1.0, 1e6, 0.0]
    )
    part = LabeledSet("uneven", rows, torch.arange(20) % 2, ("a", "b"))
    return Splits(part, part)


def test_columns_of_unlike_scales_are_noted(caplog, monkeypatch):
    monkeypatch.setitem(SOURCES, "uneven", uneven)
    load("uneven")
    assert "uneven: the spread of one column is" in caplog.text
    caplog.clear()
    load("breast_cancer")
    assert "spread" not in caplog.text
