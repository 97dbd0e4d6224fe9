"""The documentation as a site: no warning, no dead link, no request to another host, a search from a disk."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

from tests.test_report_browser import BROWSER, browse

ROOT = Path(__file__).parent.parent
ZENSICAL = importlib.util.find_spec("zensical") is not None

# What a reader does: opens the search, types a word, and looks at what is found.
STEPS = """
const within = (selector) => {
  const host = Array.from(document.querySelectorAll("div")).find((one) => one.shadowRoot);
  return host ? host.shadowRoot.querySelectorAll(selector) : [];
};
const later = (step, ms) => new Promise((done) => setTimeout(() => done(step()), ms));
window.addEventListener("load", async () => {
  await later(() => document.querySelector(".md-search__button").click(), 1000);
  await later(() => {
    const [field] = within("input");
    field.value = "pseudonyms";
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }, 1000);
  const found = await later(() => Array.from(within("a"), (one) => one.getAttribute("href")), 4000);
  document.body.dataset.found = JSON.stringify(found);
});
"""


def test_every_file_that_the_readme_and_the_pages_link_to_is_there():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]:
        links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text(encoding="utf-8"))
        assert [link for link in links if not (page.parent / link).exists()] == [], page.name


def test_every_page_is_in_the_navigation():
    listed = re.findall(r'= "(\w+\.md)"', (ROOT / "zensical.toml").read_text(encoding="utf-8"))
    assert sorted(listed) == sorted(page.name for page in (ROOT / "docs").glob("*.md"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("docs")
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copy(ROOT / "zensical.toml", folder)
    command = [sys.executable, "-m", "zensical", "build", "--strict"]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    return folder / "site"


@pytest.mark.skipif(not ZENSICAL, reason="Zensical is not installed: pip install -e '.[docs]'")
def test_no_page_asks_another_host_for_anything(site):
    asks = r"<(?:script|img|iframe|source|audio|video|embed|object)\b[^>]*?(?:src|data)=[\"']?(?:https?:)?//[^\s>]+"
    links = r"<link\b(?![^>]*rel=[\"']?canonical)[^>]*?href=[\"']?(?:https?:)?//[^\s>]+"
    pages = sorted(site.glob("**/*.html"))
    assert len(pages) > 20
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert re.findall(asks, text) + re.findall(links, text) == [], page.name
    for sheet in site.glob("**/*.css"):
        assert not re.search(
            r"(?:@import|url\()\s*[\"']?(?:https?:)?//", sheet.read_text(encoding="utf-8")
        ), sheet.name


@pytest.mark.skipif(not ZENSICAL, reason="Zensical is not installed: pip install -e '.[docs]'")
@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
def test_the_search_finds_a_page_from_a_disk(site, tmp_path):
    page = site / "search_test.html"
    page.write_text(
        (site / "index.html")
        .read_text(encoding="utf-8")
        .replace("</body>", f"<script>{STEPS}</script></body>"),
        encoding="utf-8",
    )
    shown, complaints = browse(page, tmp_path, "--virtual-time-budget=12000", "--dump-dom")
    found = json.loads(unescape(re.search(r'data-found="([^"]*)"', shown)[1]))
    assert any("pseudonyms.html" in link for link in found)
    assert complaints == []
