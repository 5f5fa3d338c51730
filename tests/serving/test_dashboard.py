"""The dashboard for Grafana against what a server really says at /metrics."""

import json
import re
import ssl
from pathlib import Path

import httpx2
import pytest
from benchmarks._certificates import certificate
from prometheus_client.parser import text_string_to_metric_families
from serving_parts import INFER, as_json, random_z, serving

from mixcon.serving import Tls

DASHBOARD = json.loads((Path(__file__).parents[2] / "docs" / "grafana.json").read_text())
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
QUERIES += [found["query"] for found in DASHBOARD["templating"]["list"] if found["type"] == "query"]
ADDED = {"instance"}  # by Prometheus itself
PART = re.compile(r"_(bucket|sum|count)$")


@pytest.fixture(scope="module")
def shown(plain_export, trust, tmp_path_factory):
    """Labels of each sample that a server shows, by name."""
    folder = tmp_path_factory.mktemp("tls")
    certificate("server", folder, certificate("authority", folder))
    tls = Tls(folder / "server.pem", folder / "server.key")
    verify = ssl.create_default_context(cafile=folder / "authority.pem")
    cloud = plain_export.folder / "cloud"
    with serving(cloud, trust, tls=tls) as url, httpx2.Client(verify=verify) as client:
        client.post(url + INFER, json=as_json(random_z(1)))
        text = client.get(url + "/metrics").text
    samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
    return {sample.name: set(sample.labels) for sample in samples}


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_asks_for_what_there_is(shown, query):
    names = re.findall(r"\bmixcon_\w+", query)
    assert names
    assert set(names) <= set(shown)
    groups = re.findall(r"by \(([\w, ]+)\)", query)
    asked = {label for group in groups for label in group.split(", ")}
    asked |= set(re.findall(r"[{,](\w+)=~?\"", query))
    assert asked <= set.union(*(shown[name] for name in names)) | ADDED


def test_every_metric_is_on_the_dashboard(shown):
    ours = {PART.sub("", name) for name in shown if not name.endswith("_created")}
    asked = {PART.sub("", name) for query in QUERIES for name in re.findall(r"mixcon_\w+", query)}
    assert ours == asked
