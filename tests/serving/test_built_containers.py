"""Both images built and run, by ``pytest -m paper tests/serving/test_built_containers.py``.

``MIXCON_ENGINE`` names the command, ``docker`` without it; ``podman`` takes the same words.
"""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from PIL import Image

ENGINE = os.environ.get("MIXCON_ENGINE", "docker")
ROOT = Path(__file__).parents[2]
TIGHT = ["--network", "host", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"]  # noqa: S108  in it
WRITES = """
import os, pathlib
for folder in ("/opt", "/export", "/state", "/tmp"):
    try:
        pathlib.Path(folder, "probe").write_text("")
        print(folder)
    except OSError:
        pass
print(os.getuid())
"""

pytestmark = [
    pytest.mark.paper,
    pytest.mark.skipif(
        shutil.which(ENGINE) is None
        or subprocess.run([ENGINE, "info"], capture_output=True, check=False).returncode != 0,
        reason=f"needs a container engine that runs, {ENGINE} or the command in MIXCON_ENGINE",
    ),
]


def engine(*words, check=True):
    done = subprocess.run(
        [ENGINE, *map(str, words)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0 or not check, done.stderr
    return done


@pytest.fixture(scope="module")
def images():
    """Both, built as their files say."""
    for half in ("cloud", "edge"):
        engine("build", "-f", f"containers/{half}.Dockerfile", "-t", f"mixcon-{half}", ".")


@pytest.fixture
def cloud(images, plain_export, trust):
    """A container that serves the export, with a volume of its own."""
    words = ["-v", f"{plain_export.folder}/cloud:/export/cloud:ro"]
    words += ["-v", f"{trust}:/export/public-key.pem:ro"]
    words += ["-v", "mixcon-test-cloud:/state", "mixcon-cloud", "--unaudited"]
    engine("run", "-d", "--name", "mixcon-test", *TIGHT, *words)
    yield "mixcon-test"
    engine("rm", "-f", "mixcon-test")
    engine("volume", "rm", "mixcon-test-cloud")


def wait_until_healthy(container, seconds=60):
    """By the health check that the image carries."""
    health = ["--format", "{{json .Config.Healthcheck}}", "mixcon-cloud"]
    _, *check = json.loads(engine("image", "inspect", *health).stdout)["Test"]
    until = time.monotonic() + seconds
    while engine("exec", container, *check, check=False).returncode:
        assert time.monotonic() < until, engine("logs", container).stderr
        time.sleep(0.2)


def test_both_halves_run_without_rights(cloud, plain_export, trust, digits, tmp_path):
    wait_until_healthy(cloud)
    written = engine("exec", cloud, "python", "-c", WRITES).stdout.split()
    assert written == ["/state", "/tmp", "10001"]  # noqa: S108

    tmp_path.chmod(0o755)  # the container is another user
    Image.fromarray(digits.test.inputs[0, 0].numpy()).save(tmp_path / "digit.png")
    edge = ["-v", f"{plain_export.folder}/edge:/export/edge:ro"]
    edge += ["-v", f"{trust}:/export/public-key.pem:ro", "-v", f"{tmp_path}:/photos:ro"]
    words = ["--url", "http://127.0.0.1:8080", "--json", "/photos"]
    done = engine("run", "--rm", *TIGHT, *edge, "mixcon-edge", *words)
    assert json.loads(done.stdout)["label"] in plain_export.contract.classes
    assert "1 answered" in done.stderr

    engine("stop", "-t", "30", cloud)
    assert json.loads(engine("inspect", cloud).stdout)[0]["State"]["ExitCode"] == 0
    assert "every request that was taken is answered" in engine("logs", cloud).stderr
