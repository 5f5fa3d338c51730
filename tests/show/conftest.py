"""One page over small real models, served on a real socket, and a real browser to look at it."""

import shutil
import threading
import time
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import sync_playwright

from mixcon.defenses import DefenseConfig
from mixcon.show import Content, PageServer
from mixcon.training import TrainConfig, train

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DEFENSES = ("vanilla", "gaussian(sigma=0.1)", "code(bits=8)", "code(bits=4)")


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """Run folders of quickly trained models: the last two differ in one number."""
    folder = tmp_path_factory.mktemp("runs")
    paths = []
    for number, defense in enumerate(DEFENSES):
        config = TrainConfig(
            data="digits", network="lenet5", defense=DefenseConfig.parse(defense), epochs=2,
            batch_size=32, lr=5e-3,
        )  # fmt: skip
        paths.append(folder / str(number))
        train(config, paths[-1], accelerator="cpu")
    return paths


@pytest.fixture(scope="session")
def content(runs, digits, tmp_path_factory):
    return Content.prepare(runs, digits, tmp_path_factory.mktemp("show"), 20, lambda *_: None)


@pytest.fixture(scope="session")
def url(content):
    """The page's server, in a thread of its own."""
    server = PageServer(content, "127.0.0.1", 0)
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


@dataclass
class Seen:
    """What a page did."""

    asked: list = field(default_factory=list)
    errors: list = field(default_factory=list)


@pytest.fixture(scope="session")
def chromium():
    if CHROMIUM is None:
        pytest.skip("no Chromium: apt-get install chromium to run the browser tests")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, url):
    """Opens the page, and tells it from what it does."""
    contexts = []

    def opened(**settings):
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
        contexts.append(context)
        seen, page = Seen(), context.new_page()
        page.on("request", seen.asked.append)
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.on("console", lambda message: seen.errors.append(message.text))
        page.goto(url)
        settle(page)
        return page, seen

    yield opened
    for context in contexts:
        context.close()


def settle(page):
    """Wait until every card shows what comes of the newest input."""
    page.wait_for_selector("body[aria-busy=false]", timeout=120_000)


@pytest.fixture(name="settle")
def settle_fixture():
    return settle
