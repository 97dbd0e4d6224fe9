"""The page as those see it who see little, or no colours: axe-core finds no serious fault, in light or dark."""

from __future__ import annotations

import pytest
from browsers import BROWSER, WHY_NOT

from propgraph.report.page.report import write_report

pytestmark = pytest.mark.skipif(BROWSER is None, reason=WHY_NOT)
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
sync_api = pytest.importorskip("playwright.sync_api")


@pytest.fixture(scope="module")
def chromium():
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page_of(small_study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("seen")

    def written(audience):
        path = folder / f"{audience}.html"
        if not path.exists():
            write_report(path, small_study, audience=audience)
        return path

    return written


def opened(chromium, path, **options):
    """Return the page, open, with what it asked for and what it complained of."""
    page = chromium.new_context(**options).new_page()
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on(
        "console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    return page, asked, complaints


def serious(page):
    """Return what axe-core finds that is serious or critical, with the first place of each."""
    found = axe.Axe().run(page).response["violations"]
    return [
        (one["id"], one["impact"], len(one["nodes"]), one["nodes"][0]["html"][:200], one["nodes"][0]["failureSummary"])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("audience", ["analyst", "public"])
def test_no_serious_fault_is_found(chromium, page_of, audience, scheme):
    page, asked, complaints = opened(chromium, page_of(audience), color_scheme=scheme)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert serious(page) == []
    assert complaints == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def test_axe_would_find_a_fault(chromium, page_of, tmp_path):
    spoilt = tmp_path / "spoilt.html"
    spoilt.write_text(
        page_of("analyst")
        .read_text()
        .replace("<main>", '<main><img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">')
    )
    page, *_ = opened(chromium, spoilt)
    assert "image-alt" in {one[0] for one in serious(page)}


def test_everything_is_there_without_javascript(chromium, page_of):
    page, *_ = opened(chromium, page_of("analyst"), java_script_enabled=False)
    headings = page.locator("h2").all_inner_texts()
    assert len(headings) > 8
    assert all(page.locator("section").nth(k).is_visible() for k in range(len(headings)))
    assert page.locator("thead button").count() == 0
