"""Export, serve and infer as a user runs them: real processes, real signals, real sockets."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image
from tests.commands import run_command
from tests.started import signals_as_in_a_terminal

from mixcon import load_data
from mixcon.serving import EdgeClient, Endpoint

pytestmark = pytest.mark.smoke


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A trained, audited and exported run in ``deploy``; images in ``photos``."""
    path = tmp_path_factory.mktemp("cli")
    for words in (
        ["train", "--data", "digits", "--recipe", "paper", "--epochs", 8, "--batch-size", 16,
         "--momentum", 0.9, "--out", "run"],
        ["audit", "run", "--victims", 3, "--attack", "rmle-paper", "--quick"],
        ["export", "run", "--out", "deploy"],
    ):  # fmt: skip
        done = run(*words, folder=path)
        assert done.returncode == 0, done.stderr
    photos = path / "photos"
    photos.mkdir()
    for i, pixels in enumerate(load_data("digits").test.inputs[:10].numpy()):
        Image.fromarray(pixels[0]).save(photos / f"{i}.png")
    return path


def environment(folder):
    return {**os.environ, "HOME": str(folder), "PYTHONUNBUFFERED": "1"}


def run(*words, folder, **settings):
    return run_command(*words, cwd=folder, env=environment(folder), **settings)


class Process:
    """`mixcon serve`, in a process of its own."""

    def __init__(self, folder, *words, port=0):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mixcon", "serve", "deploy/cloud", "--unaudited",
             "--port", str(port), *words],
            cwd=folder, env=environment(folder), stderr=subprocess.PIPE, text=True,
            preexec_fn=signals_as_in_a_terminal,  # noqa: PLW1509  only sets a signal
        )  # fmt: skip
        self.shown = ""
        for line in self.process.stderr:
            self.shown += line
            if found := re.search(r"Serving .* at (http://[\d.]+:(\d+))", line):
                self.url, self.port = found[1], int(found[2])
                break

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(30)
        self.process.stderr.close()


@pytest.fixture
def server(folder):
    with Process(folder) as process:
        yield process


def test_help_teaches(tmp_path):
    for verb in ("export", "serve", "infer"):
        assert "Example: mixcon" in run(verb, "--help", folder=tmp_path).stdout


def test_export_says_what_comes_next(folder):
    contract = json.loads((folder / "deploy" / "edge" / "contract.json").read_text())
    assert contract["name"] == "digits-lenet5-vanilla"
    assert contract["audit"]["attacks"] == ["rmle-paper"]
    assert contract["audit"]["victims"] == 3
    assert contract["audit"]["budget"] == 1
    assert contract["audit"]["thorough"] is False
    assert "decoder" in contract["audit"]["missing"]
    assert contract["audit"]["interval"][0] <= contract["audit"]["excess"]
    done = run("export", "run", "--out", "deploy", "--json", folder=folder)
    assert json.loads(done.stdout)["contract"]["name"] == contract["name"]
    assert re.search(r"within \d\.\de-0[5-9] of PyTorch", done.stderr)
    assert "excess leakage" in done.stderr
    assert "warning: mixcon serve will refuse it" in done.stderr
    assert "it attacked 3 inputs" in done.stderr


def test_an_audit_of_other_weights_is_refused(folder):
    done = run("train", "--data", "digits", "--epochs", 1, "--out", "other", folder=folder)
    assert done.returncode == 0, done.stderr
    words = ["export", "other", "--report", "run/audit/report.json", "--out", "never"]
    done = run(*words, folder=folder)
    assert done.returncode == 2
    assert "it is on other weights: 'vanilla'" in " ".join(done.stderr.split())
    assert not (folder / "never").exists()


def test_infer_prints_labels_in_order(folder, server):
    words = ["infer", "--edge", "deploy/edge", "--url", server.url]
    done = run(*words, "photos", "--json", folder=folder)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["input"] for line in lines] == [f"photos/{i}.png" for i in range(10)]
    test = load_data("digits").test
    labels = [test.classes[i] for i in test.labels[:10].tolist()]
    assert sum(line["label"] == label for line, label in zip(lines, labels, strict=True)) >= 8
    assert all(0 < line["confidence"] <= 1 for line in lines)
    assert re.search(r"10 answered; sent [\d,]+ bytes", done.stderr)
    assert "warning: the audit of this model is no proof: " in done.stderr
    assert "it attacked 3 inputs, and 50 are the least" in done.stderr
    one = (folder / "photos" / "3.png").read_bytes()
    piped = run(*words, "-", folder=folder, input=one, text=False)
    assert lines[3]["label"] in piped.stdout.decode()
    listed = run(*words, "-", folder=folder, input="photos/3.png\nphotos/4.png\n")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == [
        line["label"] for line in lines[3:5]
    ]


def test_infer_test_samples_and_record_what_crossed(folder, server):
    done = run("infer", "--edge", "deploy/edge", "--url", server.url, "--data", "digits",
               "--victims", 7, "--wire", "int8", "--record", "wire", folder=folder)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 7
    assert "accuracy" in done.stderr
    assert (folder / "wire").stat().st_size > 7 * 400
    words = ["audit", "run", "--victims", 7, "--attack", "rmle", "--budget", "0.1x", "--quick"]
    done = run(*words, "--wire", "wire", "--edge", "deploy/edge", "--out", "w", folder=folder)
    assert done.returncode == 0, done.stderr
    crossed, released = (folder / "w" / "report.json"), (folder / "r" / "report.json")
    assert run(*words, "--out", "r", folder=folder).returncode == 0
    found = [
        json.loads(path.read_text())["models"][0]["attacks"][0]["leakage"]["ssim"]
        for path in (crossed, released)
    ]
    assert found[0] != found[1]  # int8 is not float32
    assert np.allclose(found[0], found[1], atol=0.2)  # but of the same images
    done = run(*words, "--wire", "wire", folder=folder)
    assert "--wire and --edge together" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["export", "nowhere"], "no config.toml"),
        (["export", "run", "--out", "photos"], "other files"),
        (["serve", "photos"], "expected a file of mixcon export"),
        (["serve", "deploy/cloud"], "it attacked 3 inputs, and 50 are the least"),
        (["serve", "deploy/cloud", "--max-excess", "-5"], "which is above -5"),
        (["serve", "deploy/cloud", "--max-excess", "nan"], "expected a finite number"),
        (["infer", "--edge", "deploy/edge", "--max-excess", "0.3", "photos"], "left out rmle"),
        (["serve", "deploy/cloud", "--trust", "none.pem"], "--trust"),
        (["serve", "deploy/cloud", "--cert", "c.pem"], "--cert and --key together"),
        (["serve", "deploy/cloud", "--max-queue", "9"], "--max-queue"),
        (["infer", "--edge", "deploy/edge"], "expected images, or --data"),
        (["infer", "--edge", "deploy/edge", "none.png"], "there is none"),
        (["infer", "--edge", "deploy/edge", "--retries", "0", "--url", "http://127.0.0.1:9",
          "photos"], "check that it runs"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_code_2(folder, words, message):
    done = run(*words, folder=folder)
    assert done.returncode == 2
    said = done.stderr.removeprefix("Exporting to ONNX ...\n")
    assert said.startswith("error: ")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_what_was_taken_finish(folder, server, number):
    """Clients hammer while the signal comes: each request is answered, or never got in."""
    x = load_data("digits").test.inputs[:4].numpy()
    failures, answered, started = [], [], threading.Barrier(5)

    def hammer():
        endpoint = Endpoint(server.url, retries=0)
        with EdgeClient(folder / "deploy" / "edge", endpoint, trust=trusted(folder)) as client:
            expected = client.infer(x).labels
            started.wait(60)
            try:
                while True:
                    assert client.infer(x).labels == expected
                    answered.append(1)
            except Exception as error:
                failures.append(str(error))

    threads = [threading.Thread(target=hammer) for _ in range(4)]
    for thread in threads:
        thread.start()
    started.wait(60)  # the signal comes when every client has had its first answer
    while len(answered) < 20:
        time.sleep(0.01)
    server.process.send_signal(number)
    for thread in threads:
        thread.join(60)
    assert server.process.wait(60) == 0
    assert "every request that was taken is answered" in server.process.stderr.read()
    # A connection may be refused, or closed between requests; none ends within an answer.
    assert all("check that it runs" in failure for failure in failures)
    assert not any("RemoteProtocolError: peer closed" in failure for failure in failures)


def trusted(folder):
    return folder / "deploy" / "public-key.pem"


def test_kill_and_restart_under_load(folder):
    """kill -9, and a new server on the same port: the client's retries bridge the gap."""
    inputs = load_data("digits").test.inputs.numpy()
    with Process(folder) as first:
        endpoint = Endpoint(first.url, retries=12)
        client = EdgeClient(folder / "deploy" / "edge", endpoint, trust=trusted(folder), batch=4)
        expected = client.infer(inputs[:200])
        first.process.kill()
        first.process.wait()
        found = []
        asking = threading.Thread(target=lambda: found.append(client.infer(inputs[:200])))
        asking.start()
        time.sleep(0.5)
        with Process(folder, port=first.port):
            asking.join(120)
            client.close()
        assert found[0].labels == expected.labels
        np.testing.assert_allclose(found[0].probabilities, expected.probabilities, atol=1e-5)


def test_serving_without_tls_to_others_is_said_aloud(folder):
    with Process(folder, "--host", "0.0.0.0") as process:  # noqa: S104
        shown = process.shown
    assert "--unaudited: nobody vouches" in shown
    assert "can be read on the way" in shown


def test_a_missing_extra_is_named():
    hide = (
        "import sys, importlib.util as u; real = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'uvicorn' else real(name, *a)\n"
        "sys.argv = ['mixcon', 'serve', 'x']; import mixcon.cli; mixcon.cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", hide], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "uvicorn cannot be found; install them with: pip install 'mixcon[cloud]'" in (
        " ".join(done.stderr.split())
    )


def test_help_needs_no_extra():
    code = "import sys, mixcon.cli; print([n for n in ('onnx','uvicorn') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]"
