"""Container files and manifests: against their schemas, the command's options and a real server."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer
import yaml

from mixcon.cli.infer import infer
from mixcon.cli.serve import serve

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "containers"
VERBS = {"serve": serve, "infer": infer}


def manifests(name):
    return list(yaml.safe_load_all((FOLDER / name).read_text()))


def pods():
    deployment = next(m for m in manifests("kubernetes.yaml") if m["kind"] == "Deployment")
    (service,) = manifests("kserve.yaml")
    (container,) = service["spec"]["predictor"]["containers"]
    inner = {k: v for k, v in service["spec"]["predictor"].items() if not k.endswith("Replicas")}
    return [deployment["spec"]["template"]["spec"], inner | {"containers": [container]}]


def instructions(file):
    """Instruction to the last one of that name, of the last stage."""
    text = (FOLDER / f"{file}.Dockerfile").read_text().replace("\\\n", " ")
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return dict(line.split(" ", 1) for line in lines)


def options(verb):
    alone = typer.Typer(add_completion=False)
    alone.command()(VERBS[verb])
    return {name for p in typer.main.get_command(alone).params for name in p.opts}


def test_manifests_keep_to_the_schemas_of_kubernetes():
    """Those of kubernetes-validate; unknown fields are refused."""
    kubernetes = pytest.importorskip("kubernetes_validate", reason="pip install '.[dev]'")
    version = kubernetes.latest_version()
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": pods()[1]}
    for manifest in [*manifests("kubernetes.yaml"), pod]:
        kubernetes.validate(manifest, version, strict=True)
    pod["spec"]["containers"][0]["readOnlyRootFilesystem"] = True  # belongs one level below
    with pytest.raises(kubernetes.ValidationError):
        kubernetes.validate(pod, version, strict=True)


@pytest.mark.parametrize("pod", pods(), ids=["kubernetes", "kserve"])
def test_pods_may_do_as_little_as_can_be(pod):
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["automountServiceAccountToken"] is False
    may = container["securityContext"]
    assert may["readOnlyRootFilesystem"]
    assert not may["allowPrivilegeEscalation"]
    assert may["capabilities"] == {"drop": ["ALL"]}
    written = {m["name"] for m in container["volumeMounts"] if not m.get("readOnly")}
    assert written == {"state", "tmp"}
    assert {m["name"] for m in container["volumeMounts"]} == {v["name"] for v in pod["volumes"]}
    given = [word for word in container["args"] if word.startswith("--")]
    assert set(given) <= options("serve")


@pytest.mark.parametrize("file", ["cloud", "edge"])
def test_container_files_run_the_verb_without_rights(file):
    found = instructions(file)
    assert found["USER"] == "10001:10001"
    command, verb, *words = json.loads(found["ENTRYPOINT"])
    assert command == "mixcon"
    assert {word for word in words if word.startswith("--")} <= options(verb)
    text = (FOLDER / f"{file}.Dockerfile").read_text()
    assert f"pip install --no-cache-dir -c constraints.txt '.[{file}]'" in text


@pytest.mark.parametrize("file", ["cloud", "edge"])
def test_images_are_given_what_the_build_reads(file):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    hook = project["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["custom"]["path"]
    text = (FOLDER / f"{file}.Dockerfile").read_text()
    given = [
        word for line in re.findall(r"^COPY (?!--)(.*)", text, re.MULTILINE)
        for word in line.split()[:-1]
    ]  # fmt: skip
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if "!" in line]
    for path in (hook, project["project"]["readme"], "pyproject.toml", "constraints.txt", "src"):
        assert path.split("/")[0] in given
        assert path.split("/")[0] in kept


def health(file, change=lambda code: code, **environment):
    check = instructions(file)["HEALTHCHECK"].partition("CMD ")[2]
    _, flag, code = json.loads(check)
    done = subprocess.run(
        [sys.executable, flag, change(code)], env={**os.environ, **environment},
        capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode


def test_the_cloud_is_healthy_while_it_answers(url):
    default = re.search(r"HEALTH=http://127.0.0.1:8080(\S+)", instructions("cloud")["ENV"])[1]
    assert health("cloud", HEALTH=url + default) == 0
    assert health("cloud", HEALTH="http://127.0.0.1:9" + default) != 0
    for pod in pods():
        for probe in ("readinessProbe", "livenessProbe"):
            path = pod["containers"][0][probe]["httpGet"]["path"]
            assert health("cloud", HEALTH=url + path) == 0


def test_the_device_is_healthy_while_its_contract_holds(plain_export, noisy_export, trust):
    def of(export):
        return lambda code: code.replace("/export/edge", str(export.folder / "edge")).replace(
            "/export/public-key.pem", str(trust)
        )

    assert health("edge", of(plain_export)) == 0
    broken = noisy_export.folder / "edge" / "contract.sig"
    kept = broken.read_bytes()
    broken.write_bytes(b"AAAA")
    try:
        assert health("edge", of(noisy_export)) != 0
    finally:
        broken.write_bytes(kept)
