"""The page in a browser, as people see it: on a telephone and on a desk, by day and by night, by keyboard, on paper."""

import importlib
import shutil

import pytest

import hybrid

CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs the browser chromium (Debian's package of that name)"),
]

SHOWN = [(width, scheme) for width in (390, 1280) for scheme in ("light", "dark")]


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=120_000)
        yield started
        started.close()


@pytest.fixture(scope="module")
def pages(studied, swept, hostile, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    asked = {"run": studied, "sweep": swept, "hostile": hostile, "comparison": [studied, swept]}
    return {name: hybrid.report(runs, folder / f"{name}.html") for name, runs in asked.items()}


def opened(browser, path, width, scheme):
    """The page with all its details open, and what its console said."""
    shown = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    shown.set_default_timeout(120_000)
    said = []
    shown.on("console", lambda message: said.append(message.text))
    shown.on("pageerror", lambda error: said.append(str(error)))
    shown.on("request", lambda request: None if request.url == path.as_uri() else said.append(request.url))
    shown.goto(path.as_uri())
    shown.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    return shown, said


@pytest.mark.parametrize("name", ["run", "sweep", "hostile", "comparison"])
@pytest.mark.parametrize(("width", "scheme"), SHOWN)
def test_it_fits_asks_for_nothing_and_is_silent(browser, pages, name, width, scheme):
    shown, said = opened(browser, pages[name], width, scheme)
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert said == []
    paper = shown.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
    seen = shown.evaluate("[...document.querySelectorAll('figure > svg')].filter(one => one.checkVisibility()).length")
    assert seen == shown.locator("figure").count() > 0
    shown.close()


@pytest.mark.parametrize("name", ["run", "sweep", "hostile", "comparison"])
@pytest.mark.parametrize(("width", "scheme"), SHOWN)
def test_axe_finds_no_fault(browser, pages, name, width, scheme):
    pytest.importorskip("axe_playwright_python", reason="needs the package axe-playwright-python")
    axe = importlib.import_module("axe_playwright_python.sync_playwright").Axe()
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True)
    context.set_default_timeout(120_000)
    shown = context.new_page()
    shown.goto(pages[name].as_uri())
    shown.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    found = axe.run(shown)
    assert found.response["passes"]
    faults = [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found.response["violations"]]
    assert faults == []
    context.close()


def test_the_keyboard_reaches_and_opens_all_details(browser, pages):
    shown = browser.new_page(viewport={"width": 1280, "height": 800})
    shown.set_default_timeout(120_000)
    shown.goto(pages["sweep"].as_uri())
    opened_by_key = set()
    for _ in range(500):
        shown.keyboard.press("Tab")
        number = shown.evaluate(
            "[...document.querySelectorAll('summary')].indexOf(document.activeElement)",
        )
        if number >= 0 and number not in opened_by_key:
            shown.keyboard.press("Enter")
            opened_by_key.add(number)
        if len(opened_by_key) == shown.locator("summary").count():
            break
    assert shown.locator("details").count() == shown.locator("details[open]").count() > 3
    shown.close()


def test_it_prints(browser, pages):
    for name in ("run", "sweep"):
        shown, _ = opened(browser, pages[name], 1280, "dark")
        shown.emulate_media(media="print")
        assert shown.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        content = shown.pdf(format="A4")
        assert content.startswith(b"%PDF")
        assert len(content) > 20_000
        shown.close()
