"""One page over small real models, served on a real socket, and a real browser to look at it."""

import contextlib
import shutil
import threading
import time
from dataclasses import dataclass, field
from functools import cache

import pytest
from playwright.sync_api import Page, sync_playwright

from mixcon.defenses import DefenseConfig
from mixcon.show import Content, PageServer, check_runtime, listen
from mixcon.show.app import PAGE
from mixcon.training import TrainConfig, train

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DEFENSES = ("vanilla", "gaussian(sigma=0.1)", "code(bits=8)", "code(bits=4)")


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Trains a small model with a defense, once: its run folder."""
    folder = tmp_path_factory.mktemp("runs")

    @cache
    def run(text):
        defense = DefenseConfig.parse(text)
        config = TrainConfig(
            data="digits", network="lenet5", defense=defense, epochs=1, batch_size=16, lr=5e-3
        )
        path = folder / str(defense)
        train(config, path, accelerator="cpu")
        return path

    return run


@pytest.fixture(scope="session")
def content(trained, digits, tmp_path_factory):
    """Three cards, the last with a dial."""
    runs = [trained(defense) for defense in DEFENSES]
    return Content.prepare(runs, digits, tmp_path_factory.mktemp("show"), 5, lambda *_: None)


@pytest.fixture(scope="session")
def url(content):
    with served(content) as address:
        yield address


@contextlib.contextmanager
def served(content):
    """The page's server, in a thread of its own; its URL, while it runs."""
    server = PageServer(content, listen("127.0.0.1", 0), "127.0.0.1")
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        while not server.uvicorn.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield server.url
    finally:
        server.uvicorn.should_exit = True
        thread.join(60)
        assert not thread.is_alive()


@pytest.fixture(scope="session", name="served")
def served_fixture():
    return served


@dataclass
class Visit:
    """A page, and what it did."""

    page: Page
    asked: list = field(default_factory=list)
    errors: list = field(default_factory=list)


@pytest.fixture(scope="session")
def runtime():
    """The build brought ONNX Runtime from the npm registry, as it does where there is npm."""
    if shutil.which("npm") is None:
        pytest.skip("no npm: the build could not bring the page's ONNX Runtime")
    check_runtime()
    return PAGE / "runtime"


@pytest.fixture(scope="module")  # a process has one playwright at a time, and others have theirs
def visited(url, runtime):
    """The page, opened once: every start compiles 14 MB."""
    if CHROMIUM is None:
        pytest.skip("no Chromium: apt-get install chromium to run the browser tests")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        visit = Visit(page)
        page.on("request", lambda asked: visit.asked.append(asked))  # noqa: PLW0108  it is marked
        page.on("pageerror", lambda error: visit.errors.append(str(error)))
        page.on("console", lambda message: visit.errors.append(message.text))
        page.goto(url)
        settle(page)
        yield visit
        browser.close()


@pytest.fixture
def visit(visited):
    """The page with a test image of 3; nothing it does in a test is an error."""
    visited.page.get_by_role("button", name="Test image of 3").click()
    settle(visited.page)
    visited.asked.clear()
    yield visited
    assert visited.errors == []


@pytest.fixture
def page(visit):
    return visit.page


def settle(page):
    """Wait until every card shows what comes of the newest input."""
    page.wait_for_selector("body[aria-busy=false]", timeout=120_000)


@pytest.fixture(name="settle")
def settle_fixture():
    return settle
