"""In a real browser: what is drawn goes through the real split, and nothing else leaves."""

import io
import json
import re

import numpy as np
import torch
from PIL import Image

from mixcon.metrics import ssim
from mixcon.show.noise import LEVELS

CARD = re.compile(r"SSIM (\S+), floor (\S+)")
READ = """selector => [...document.querySelectorAll(selector)].map(canvas => {
  const {width, height} = canvas, copy = new OffscreenCanvas(width, height);
  const context = copy.getContext("2d", {willReadFrequently: true});
  context.drawImage(canvas, 0, 0);
  return [...context.getImageData(0, 0, width, height).data.filter((_, i) => i % 4 === 0)];
})"""


def pictures(page, selector):
    """The pixels of canvases, (N, 1, 28, 28) in [0, 1]."""
    found = page.evaluate(READ, selector)
    return torch.tensor(found).reshape(len(found), 1, 28, 28) / 255


def draw_a_seven(page, settle):
    page.get_by_role("button", name="Clear").click()
    box = page.locator("#pad").bounding_box()
    for i, (x, y) in enumerate([(0.2, 0.2), (0.8, 0.2), (0.4, 0.9)]):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=5)
        if not i:
            page.mouse.down()
    page.mouse.up()
    settle(page)


def texts(page, selector):
    return [one.strip() for one in page.locator(selector).all_inner_texts()]


def shown_models(content):
    return [content.models[card.runs[card.start]] for card in content.cards]


def test_a_drawing_is_labeled_and_redrawn_by_every_cloud(page, visit, settle, content, url):
    draw_a_seven(page, settle)
    x = pictures(page, "#read")
    redrawn, guesses = pictures(page, ".redrawn canvas"), pictures(page, ".guess canvas")
    assert len(redrawn) == len(guesses) == len(content.cards) == 3
    for i, model in enumerate(shown_models(content)):
        label = texts(page, ".label strong")[i]
        assert label in content.data.train.classes
        got, floor = map(float, CARD.search(texts(page, ".finding")[i]).groups())
        assert abs(got - ssim(redrawn[i : i + 1], x).item()) < 0.02
        assert abs(floor - ssim(guesses[i : i + 1], x).item()) < 0.02
        torch.testing.assert_close(guesses[i], content.guesses[int(label)], atol=3e-3, rtol=0)
        if model.edge.contract.noise:
            continue
        split = model.cloud._model
        with torch.no_grad():
            z = split.release(x)
            assert label == str(split.head(z).argmax().item())
        torch.testing.assert_close(model.cloud.redraw(z, 0), redrawn[i : i + 1], atol=0.02, rtol=0)
    assert texts(page, ".bound")[0] == "none: nothing is proved"
    assert texts(page, ".bound")[2].startswith("8 bits: ")
    assert texts(page, ".leaves strong")[:3] == ["1,600 bytes", "1,600 bytes", "4 bytes"]
    assert page.locator("#problem").is_hidden()
    assert visit.asked
    assert all(request.url.startswith(url) for request in visit.asked)


def test_no_request_holds_more_than_z(page, visit, settle, content):
    draw_a_seven(page, settle)
    sent = [request for request in visit.asked if request.method == "POST"]
    sizes = {model.name: model.edge.contract for model in content.models}
    assert sent
    for request in sent:
        body, end = (
            request.post_data_buffer,
            int(request.headers["inference-header-content-length"]),
        )
        tensor = json.loads(body[:end])["inputs"][0]
        contract = sizes[request.url.split("/")[-2]]
        numbers = int(np.prod(contract.representation.shape))
        assert len(body) - end == {"float32": 4 * numbers, "int4": -(-numbers // 2)}[contract.wire]
        assert len(body) - end == tensor["parameters"]["binary_data_size"]
    gets = [r.url for r in visit.asked if r.method != "POST" and "curious" in r.url]
    assert all(re.fullmatch(r"\S+/curious/show-\w+/[0-9a-f]+-\d+\?level=0", url) for url in gets)


def test_the_dials_change_the_pictures(page, settle, content):
    before = pictures(page, ".redrawn canvas")
    for model in shown_models(content):
        assert model.cloud.sigmas[0] == 0 < model.cloud.sigmas[1] < model.cloud.sigmas[2]
    noise = page.get_by_role("slider", name="Noise that your device adds")
    noise.focus()
    for _ in LEVELS[1:]:
        page.keyboard.press("ArrowRight")
    settle(page)
    assert noise.get_attribute("aria-valuetext").startswith("2 ")
    assert not torch.equal(before[0], pictures(page, ".redrawn canvas")[0])
    page.keyboard.press("Home")
    settle(page)
    assert torch.equal(before[0], pictures(page, ".redrawn canvas")[0])
    bits = page.get_by_role("slider", name="Bits of code")
    assert texts(page, ".leaves strong")[2] == "4 bytes"
    bits.focus()
    page.keyboard.press("ArrowLeft")
    settle(page)
    assert texts(page, ".leaves strong")[2] == "2 bytes"
    assert texts(page, ".bound")[2].startswith("4 bits")
    assert texts(page, ".defense")[2] == "code(bits=4)"
    assert not torch.equal(before[2], pictures(page, ".redrawn canvas")[2])
    page.keyboard.press("ArrowRight")
    settle(page)


def test_noise_is_drawn_in_the_page_anew(page, settle):
    first = texts(page, ".bytes")
    page.get_by_role("button", name="Test image of 3").click()
    settle(page)
    again = texts(page, ".bytes")
    assert (first[0], first[2]) == (again[0], again[2])
    assert first[1] != again[1]  # the channel of the second draws noise


def test_keyboard_alone_draws(page, settle):
    pad = page.get_by_role("application", name="Drawing pad")
    pad.focus()
    page.keyboard.press("Delete")
    page.keyboard.press("Space")
    for _ in range(8):
        page.keyboard.press("ArrowDown")
    settle(page)
    assert "Vanilla: label" in page.locator("#spoken").text_content()
    assert 0.01 < pictures(page, "#read").mean() < 0.5
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "clear"


def test_what_a_screen_reader_meets_has_a_name(page):
    for role in ("button", "slider", "img", "application", "article"):
        assert page.get_by_role(role).count() >= 1
    nameless = page.evaluate("""() => [...document.querySelectorAll(
        "button, input, canvas, [role=img], article")].filter(e => e.offsetParent
        && !e.textContent.trim() && !e.ariaLabel && !e.labels?.length
        && !e.closest("[aria-label]") && !e.hasAttribute("aria-labelledby"))
        .map(e => e.outerHTML)""")
    assert nameless == []


def test_an_image_is_read_and_dark_ink_on_paper_turned_round(page, settle):
    paper = Image.new("L", (140, 140), 255)
    paper.paste(0, (60, 20, 80, 120))
    file = io.BytesIO()
    paper.save(file, "PNG")
    page.set_input_files(
        "#file", {"name": "one.png", "mimeType": "image/png", "buffer": file.getvalue()}
    )
    settle(page)
    read = pictures(page, "#read")[0, 0]
    assert read[14, 14] > 0.9
    assert read[:, :8].max() < 0.1


def test_a_file_that_is_no_image_is_named_until_the_next_input(page, settle):
    held = []
    page.route("**/infer", lambda route: held.append(route))  # noqa: PLW0108  it is marked
    try:
        page.get_by_role("button", name="Test image of 1").click()  # its answers come later
        page.wait_for_function("document.body.ariaBusy === 'true'")
        bad = {"name": "no.png", "mimeType": "image/png", "buffer": b"none"}
        page.set_input_files("#file", bad)
        problem = page.get_by_text("no.png is no image")
        problem.wait_for()
    finally:
        for route in held:
            route.continue_()
        page.unroute("**/infer")
    settle(page)
    assert problem.is_visible()
    page.get_by_role("button", name="Test image of 3").click()
    settle(page)
    assert page.locator("#problem").is_hidden()


def test_ssim_of_the_page_is_that_of_the_audit(page):
    torch.manual_seed(0)
    a = torch.rand(1, 3, 17, 12)
    b = (a + 0.2 * torch.rand_like(a)).clamp(0, 1)
    found = page.evaluate(
        """async ([a, b]) => (await import("./ssim.js")).ssim(a, b, [3, 17, 12])""",
        [a.flatten().tolist(), b.flatten().tolist()],
    )
    assert abs(found - ssim(a, b).item()) < 1e-5


def test_light_dark_desktop_and_phone(page):
    grounds = set()
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(grounds) == 2
    for width in (375, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        places = [page.locator(".redrawn canvas").nth(i).bounding_box() for i in range(3)]
        assert len({round(place["y"]) for place in places}) == 1  # side by side


def test_the_browser_would_refuse_another_host(page, visit):
    refused = page.evaluate("""async () => {
      const refused = [];
      document.addEventListener("securitypolicyviolation", e => refused.push(e.blockedURI));
      await fetch("https://example.com/").catch(() => 0);
      const script = document.createElement("script");
      script.textContent = "window.inline = true";
      document.body.append(script);
      await new Promise(done => setTimeout(done));
      return [refused.length, window.inline];
    }""")
    assert refused == [2, None]
    assert len(visit.errors) >= 2
    visit.errors.clear()
