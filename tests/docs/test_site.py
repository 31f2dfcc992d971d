"""The built site in a real browser, from its files, without a network."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from guides import ROOT

pytestmark = pytest.mark.slow

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [Path(sys.executable).with_name("sphinx-build"), "--quiet", "--fail-on-warning", "--keep-going"]
    built = subprocess.run(
        [*command, "-d", folder / "doctrees", ROOT / "docs", folder / "html"],
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("there is no chromium here (Debian: apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def opened(browser):
    """A page of given width and colours, and what it complains of."""
    contexts = []

    def opened(width=1280, colours="light"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=colours, offline=True)
        context.set_default_timeout(120_000)
        contexts.append(context)
        page, complaints = context.new_page(), []
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request", lambda asked: None if asked.url.startswith(("file:", "data:")) else complaints.append(asked.url)
        )
        return page, complaints

    yield opened
    for context in contexts:
        context.close()


def test_nothing_comes_from_elsewhere(site):
    """Fonts, scripts and styles are in the folder; links may lead out of it."""
    for page in site.rglob("*.html"):
        loaded = re.findall(
            r"<(?:script|link|img|iframe)\b[^>]*(?:src|href)=\"((?:https?:)?//[^\"]+)", page.read_text()
        )
        assert not loaded, page


def test_pages_fit_a_telephone_and_complain_of_nothing(site, opened):
    page, complaints = opened(390)
    for path in sorted(site.rglob("*.html")):
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path.name
        assert not complaints, path.name


@pytest.mark.parametrize(
    ("words", "found"), [("minimize", "hybrid.minimize"), ("HYBRID_RUNS", "Environment variables")]
)
def test_search_finds_a_name_in_files_without_a_network(site, opened, words, found):
    page, complaints = opened()
    page.goto((site / "index.html").as_uri())
    page.fill("input[name=q]", words)
    page.press("input[name=q]", "Enter")
    page.wait_for_selector("#search-results ul.search li a")
    assert found in page.inner_text("#search-results")
    assert not complaints


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_text_stands_out_from_its_ground(site, opened, colours):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page, _ = opened(1280, colours)
    for name in (
        "index",
        "getting_started",
        "batch",
        "reference/hybrid",
        "reference/commands",
    ):
        page.goto((site / f"{name}.html").as_uri())
        result = axe.run(page, options={"runOnly": ["color-contrast"]})
        assert result.response["passes"], f"{name}: nothing was looked at"
        weak = [node["html"][:200] for one in result.response["violations"] for node in one["nodes"]]
        assert not weak, f"{name}: {weak[:5]}"
