"""In a real browser: no page asks any host for anything, nor offers a way to send it anywhere."""

import shutil
from dataclasses import dataclass, field

import pytest
import torch
from playwright.sync_api import sync_playwright
from tests.reports.report_parts import model, report_on

from mixcon.audit import Gallery
from mixcon.reports import SweepPage, SweepPoint, figures_of, render_html, render_sweep

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium: apt-get install chromium to run the browser tests"
)
LINK = '<a href="https://example.com">out</a>'
TITLES = {"Download plot as a PNG", "Zoom", "Pan", "Zoom in", "Zoom out", "Autoscale", "Reset axes"}
WAYS_OUT = """() => {
  const out = /^\\s*(\\w+:)?\\/\\/|^\\s*(mailto|javascript):/;
  const leads = a => !a.name.startsWith("xmlns") && out.test(a.value);
  const attributes = [...document.querySelectorAll("*")].flatMap(e => [...e.attributes]);
  const elements = [...document.querySelectorAll("form, iframe, object, embed, link[href]")];
  return [...attributes.filter(leads).map(a => `${a.name}=${a.value}`),
          ...elements.map(e => e.tagName)];
}"""
VIOLATIONS = """window.violations = [];
document.addEventListener("securitypolicyviolation", e => window.violations.push(e.blockedURI))"""


@dataclass
class Seen:
    """What a page did."""

    asked: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser():
    quiet = ["quic", "background-networking", "component-update", "sync", "gpu"]
    arguments = ["--no-sandbox", "--no-first-run", *(f"--disable-{name}" for name in quiet)]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, tmp_path):
    """Opens a page, and tells it from what it does."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})

    def opened(text):
        seen, page = Seen(), context.new_page()
        path = tmp_path / "page.html"
        path.write_text(text, encoding="utf-8")
        page.add_init_script(VIOLATIONS)
        page.on("request", lambda request: seen.asked.append(request.url))
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.on("popup", lambda popup: seen.opened.append(popup.url))
        page.goto(path.as_uri())
        return page, seen

    yield opened
    context.close()


def point(i, title):
    weight, beta = 10.0 ** (i // 2), 0.01 * (i % 2)
    return SweepPoint(
        title, LINK, 0.8 + i / 50, 0.3 + i / 10, bool(i % 2), 0.5, (weight, beta), on_front=i == 0
    )


def sweep_page(report):
    points = [point(i, f"{LINK} {i}") for i in range(4)]
    return render_sweep(
        SweepPage(
            LINK, [LINK], points, 0.5, [{LINK: LINK}], {LINK: LINK}, LINK, LINK,
            report.environment, LINK,
        )
    )  # fmt: skip


@pytest.fixture(params=["report", "sweep"])
def text(request, report, gallery):
    if request.param == "sweep":
        return sweep_page(report)
    return render_html(figures_of(report), gallery)


def test_nothing_leaves_the_machine(text, visit):
    page, seen = visit(text)
    charts = page.locator(".js-plotly-plot")
    assert charts.count() >= 2
    titles = set()
    for i in range(charts.count()):
        chart = charts.nth(i)
        chart.scroll_into_view_if_needed()
        chart.hover()
        buttons = chart.locator(".modebar-btn")
        assert buttons.count() == 7
        for j in range(buttons.count()):
            titles.add(buttons.nth(j).get_attribute("data-title"))
            buttons.nth(j).click()
    assert titles == TITLES
    assert page.evaluate(WAYS_OUT) == []
    assert page.evaluate("window.violations") == []
    assert [url for url in seen.asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert (seen.opened, seen.errors) == ([], [])


def test_names_are_shown_as_they_are_and_make_no_link(visit):
    """Plotly makes a link of `<a href=...>` in any text."""
    report = report_on(model(LINK, 0.9, rmle=[0.5, 0.6]), model("b", 0.8, rmle=[0.5, 0.7]))
    vectors = Gallery(torch.rand(2, 5), torch.zeros(2).long(), ("a",))
    page, _ = visit(render_html(figures_of(report), vectors))
    assert page.locator(".legendtext", has_text=LINK).count() >= 1
    assert page.evaluate(WAYS_OUT) == []


def test_a_hovered_trial_is_named_in_words(report, visit):
    page, seen = visit(sweep_page(report))
    mark = page.locator("#front .scatterlayer .point").first.bounding_box()
    page.mouse.move(mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2, steps=3)
    page.get_by_text(f"{LINK} 1: originals above").wait_for()
    assert page.evaluate(WAYS_OUT) == []
    assert seen.errors == []


def test_the_browser_would_refuse_a_request(report, gallery, visit):
    page, _ = visit(render_html(figures_of(report), gallery))
    page.evaluate("""async () => {
      await fetch("https://example.com/").catch(() => 0);
      navigator.sendBeacon("https://example.com/", "x");
      const image = new Image(); image.src = "https://example.com/x.png";
      await new Promise(done => image.onerror = done);
    }""")
    assert len(page.evaluate("window.violations")) >= 3
