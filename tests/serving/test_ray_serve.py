"""The recipe for Ray Serve in docs/deploy.md, in a real Ray: on demand, `pytest -m paper`.

It starts a Ray of its own, which takes half a minute of processor time and the extras `ray`
and `serve`.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mixcon.serving import AuditSummary, signing

pytest.importorskip("ray.serve", reason="needs the extra ray")
pytestmark = pytest.mark.paper

RECIPE = re.search(
    r"```python\n(# Ray Serve.*?)```",
    (Path(__file__).parents[2] / "docs" / "deploy.md").read_text(),
    re.DOTALL,
).group(1)
ASK = """
import httpx2, numpy as np, sys
from mixcon.errors import WireError
from mixcon.serving import EdgeClient, Endpoint

url, token = "http://127.0.0.1:8000", Path("tokens.txt").read_text().strip()
assert httpx2.get(url + "/v2/health/ready").status_code == 200
assert httpx2.get(url + "/v2/models/digits").status_code == 401
x = np.zeros((70, 1, 28, 28), np.float32)
for given, fine in ((token, True), (None, False), ("x" * 20, False)):
    endpoint = Endpoint(url, token=given, retries=0)
    with EdgeClient(deploy / "edge", endpoint, trust=deploy / "public-key.pem") as edge:
        try:
            assert len(edge.infer(x).labels) == 70 and edge.identified and fine
        except WireError as error:
            assert "401" in str(error) and not fine, error
print("all answered")
"""


@pytest.fixture
def run(plain_export, keys, tmp_path):
    """Run the recipe, with two replicas, on an export whose contract has this audit."""

    def go(audit):
        folder = shutil.copytree(plain_export.folder, tmp_path / "deploy", dirs_exist_ok=True)
        contract = plain_export.contract.model_copy(update={"audit": audit})
        for half in ("cloud", "edge"):
            contract.write(folder / half, signing.private_key(keys))
        (tmp_path / "tokens.txt").write_text("t" * 20 + "\n")
        start = "import ray\nray.init(num_cpus=2, include_dashboard=False)\n"
        code = start + RECIPE.replace("num_replicas=4", "num_replicas=2") + ASK
        (tmp_path / "recipe.py").write_text(code)
        return subprocess.run(
            [sys.executable, "recipe.py"], cwd=tmp_path, capture_output=True, text=True,
            check=False, timeout=500,
        )  # fmt: skip

    return go


def test_the_recipe_answers_who_has_a_token(run):
    audit = AuditSummary(
        report_sha256="0" * 64, attacks=("rmle",), victims=100, metric="ssim", leakage=0.4,
        floor=0.2, excess=0.25, accuracy=0.97, interval=(0.2, 0.29), thorough=True, budget=1.0,
        missing=(), chance=0.11, guess="class-ssim",
    )  # fmt: skip
    done = run(audit)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "all answered" in done.stdout


def test_the_recipe_serves_nothing_without_an_audit(run):
    done = run(None)
    assert done.returncode != 0
    assert "all answered" not in done.stdout
    assert "expected a model with an audit in its contract" in done.stderr + done.stdout
