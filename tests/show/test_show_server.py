"""The page's server, asked by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from httpx2 import Client

from mixcon.data import load
from mixcon.errors import ConfigError
from mixcon.serving.requests import build_request
from mixcon.show import Content, check_images, check_runtime, server, wire_tap


@pytest.fixture(scope="module")
def content(trained, digits, tmp_path_factory):
    """One model, which is all that these tests need."""
    folder = tmp_path_factory.mktemp("show")
    return Content.prepare([trained("code(bits=8)")], digits, folder, 5, lambda *_: None)


@pytest.fixture(scope="module")
def address(content, served):
    with served(content) as url:
        yield url


@pytest.fixture
def client(address):
    with Client(base_url=address, timeout=60) as client:
        yield client


def send(client, model, z, id):
    body, end = build_request(z, model.edge.contract.wire, model.edge.contract, id)
    path = f"/v2/models/{model.name}/infer"
    return client.post(path, content=body, headers={"Inference-Header-Content-Length": str(end)})


def test_the_tap_keeps_what_crossed_and_changes_nothing(client, content):
    model = content.models[0]
    z = np.where(np.random.default_rng(0).random((1, 8)) < 0.5, -1, 1).astype(np.float32)
    answer = send(client, model, z, "first")
    logits = np.frombuffer(answer.content[-40:], "<f4")
    with torch.no_grad():
        wanted = model.cloud._model.head(torch.from_numpy(z))[0].numpy()
    np.testing.assert_allclose(logits, wanted, atol=1e-4)
    assert torch.equal(model.tap.seen("first"), torch.from_numpy(z))
    redrawn = client.get(f"/curious/{model.name}/first?level=0")
    assert len(redrawn.content) == 28 * 28


def test_the_tap_forgets_the_oldest(client, content, monkeypatch):
    monkeypatch.setattr(wire_tap, "_KEPT", 2)
    model = content.models[0]
    z = np.ones((1, 8), np.float32)
    for i in range(4):
        assert send(client, model, z, f"id-{i}").status_code == 200
    assert model.tap.seen("id-1") is None
    assert model.tap.seen("id-2") is not None


def test_what_is_not_there_is_refused(client, content):
    name = content.models[0].name
    assert client.get("/curious/nobody/1?level=0").status_code == 404
    assert client.get(f"/curious/{name}/never-sent?level=0").status_code == 404
    for level in ("", "4", "-1", "²", "1e9"):
        assert client.get(f"/curious/{name}/1", params={"level": level}).status_code == 400
    assert client.get("/v2/models/nobody/infer").status_code == 404
    assert client.get("/v2").status_code == 404
    assert client.get("/../server.py").status_code == 404
    assert client.post(f"/v2/models/{name}/infer", content=b"nonsense").status_code == 400


def test_every_answer_forbids_other_hosts(client):
    for path in ("/", "/app.js", "/content.json", "/nothing", "/v2/health/live"):
        headers = client.get(path).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; ")
        assert headers["X-Content-Type-Options"] == "nosniff"
    page = client.get("/").text
    assert "http:" not in page
    assert "https:" not in page


def test_another_name_for_this_machine_is_refused(client):
    """A page elsewhere whose name leads here would otherwise read what crosses."""
    assert client.get("/content.json", headers={"Host": "evil.example"}).status_code == 400


def test_examples_are_labeled_rightly_by_every_model_that_labels_any_so(content):
    images, labels = content.examples
    test = content.data.test
    assert labels == list(range(10))
    right = torch.stack([model.right for model in content.models]).all(0)
    for image, label in zip(images, labels, strict=True):
        place = (test.inputs == image).flatten(1).all(1).nonzero()[0]
        assert test.labels[place] == label
        assert right[place] or not right[test.labels == label].any()


def test_what_cannot_be_shown_is_refused_before_the_work(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="expected images of at least 11 x 11 pixels"):
        check_images(load("synthetic"))
    monkeypatch.setattr(server, "PAGE", tmp_path)
    with pytest.raises(ConfigError, match=r"install Node.js 20 or later.*install mixcon again"):
        check_runtime()


def test_the_runtime_is_the_one_that_is_pinned(runtime):
    wanted = json.loads(Path("web/package.json").read_text())["dependencies"]["onnxruntime-web"]
    assert (runtime / "VERSION").read_text() == wanted
