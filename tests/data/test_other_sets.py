"""Tables, faces and X-rays: what they hold, and that figures on a subset are named so."""

import os

import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from mixcon.data import load
from mixcon.errors import DataError
from mixcon.kinds import Kind

needs_data = pytest.mark.skipif("MIXCON_DATA" not in os.environ, reason="MIXCON_DATA is not set")


@pytest.mark.parametrize(
    ("name", "bunch"),
    [
        ("breast_cancer", load_breast_cancer()),
        ("wine", load_wine()),
        ("diabetes", load_diabetes(scaled=False)),
    ],
)
def test_tables_have_every_row_once_on_one_scale(name, bunch):
    data = load(name)
    assert data.train.kind is Kind.VECTOR
    assert len(data.train) + len(data.test) == len(bunch.target)
    whole = torch.cat([data.train.inputs, data.test.inputs])
    assert len(whole.unique(dim=0)) == len(torch.tensor(bunch.data).unique(dim=0))
    assert data.train.inputs.mean(0).abs().max() < 1e-5
    assert (data.train.inputs.std(0, correction=0) - 1).abs().max() < 1e-5
    both = (whole.double(), torch.tensor(bunch.data))
    ours, theirs = ((part - part.mean(0)) / part.std(0) for part in both)
    assert torch.allclose(ours.sort(0).values, theirs.sort(0).values, atol=1e-4)


def test_every_column_of_a_table_is_an_attribute():
    train = load("breast_cancer").train
    assert len(train.attributes) == 30
    texture = train.attributes["mean_texture"]
    assert texture.names == ("low", "high")
    assert texture.values.float().mean() == pytest.approx(0.5, abs=0.02)
    assert torch.equal(texture.values == 1, train.inputs[:, 1] > train.inputs[:, 1].median())


def test_a_regression_is_asked_for_in_quarters():
    data, bunch = load("diabetes"), load_diabetes(scaled=False)
    assert data.train.classes == ("least", "less", "more", "most")
    mean = torch.tensor(bunch.data).mean(0)
    deviation = torch.tensor(bunch.data).std(0)
    progress = torch.tensor(bunch.target)
    order = progress.argsort(stable=True)
    for part in (data.train, data.test):
        assert part.labels.bincount().min() >= len(part) // 4 - 2
    low, high = (data.train.inputs[data.train.labels == i, 2].mean() for i in (0, 3))  # body mass
    wanted = ((torch.tensor(bunch.data) - mean) / deviation)[order, 2]
    assert high - low == pytest.approx((wanted[-110:].mean() - wanted[:110].mean()).item(), abs=0.2)


def test_a_made_up_census_is_tied_together_as_people_are():
    data = load("census")
    assert (len(data.train), len(data.test), data.train.shape) == (6000, 2000, (15,))
    assert data.train.inputs[:, :4].mean(0).abs().max() < 1e-5
    assert set(data.train.attributes) == {"sex", "married", "job", "region"}
    whole = data.train
    sex, region = whole.attributes["sex"].values, whole.attributes["region"].values
    assert torch.equal(whole.inputs[:, 4], sex.float())
    assert torch.equal(whole.inputs[:, 6:11].argmax(1), whole.attributes["job"].values)
    assert torch.equal(whole.inputs[:, 11:].argmax(1), region)
    rich = whole.labels.float()
    assert 0.2 < rich.mean() < 0.28
    assert rich[sex == 1].mean() > rich[sex == 0].mean() + 0.08
    assert max(abs(rich[region == i].mean() - rich.mean()) for i in range(4)) < 0.03
    assert not torch.equal(load("census", seed=1).train.inputs, whole.inputs)


@pytest.mark.parametrize("name", ["olivetti_faces", "pneumonia"])
def test_what_no_hub_has_is_asked_for(name, monkeypatch):
    monkeypatch.delenv("MIXCON_DATA", raising=False)
    with pytest.raises(DataError, match=f"{name}/train-.*--data-dir or MIXCON_DATA"):
        load(name)


@needs_data
def test_faces():
    data = load("olivetti_faces")
    assert data.train.name == "olivetti_faces"
    assert data.train.shape == (1, 64, 64)
    assert data.train.labels.bincount().tolist() == [8] * 40
    assert data.test.labels.bincount().tolist() == [2] * 40


@needs_data
def test_x_rays_are_named_as_the_subset_that_they_are():
    data = load("pneumonia")
    assert data.train.name == "pneumonia-3k"
    assert (len(data.train), len(data.test), data.train.shape) == (2428, 468, (1, 28, 28))
    assert data.train.classes == ("normal", "pneumonia")
