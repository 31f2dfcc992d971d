"""Every link of the guides leads to a file that is there, and to a heading on it."""

import pytest
from guides import PAGES, ROOT, anchors, links

from docs.generate.pages import filled


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for link in links(page):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor and target.suffix == ".md":
            generated = {"errors", "functions", "classes"} if "<!-- generated: names" in target.read_text() else set()
            assert anchor in anchors(target) | generated, f"{page.name}: {link}"


def test_every_guide_stands_in_the_contents():
    """A page that no list of contents names is found by nobody."""
    for folder in (ROOT / "docs", ROOT / "docs" / "reference"):
        listed = (folder / "index.md").read_text().splitlines()
        for page in folder.glob("*.md"):
            assert page.name == "index.md" or page.stem in listed, page


def test_generated_parts_are_filled_in():
    for page in (ROOT / "docs" / "reference").glob("*.md"):
        assert "<!-- generated" not in filled(page.read_text())
