"""The page in a real browser: no complaint, its policy holds, tables sort, the map filters, the review is saved."""

from __future__ import annotations

import json
import re
import subprocess
from html import unescape

import pytest
from browsers import BROWSER, WHY_NOT

from propgraph.report.page.report import write_report

pytestmark = pytest.mark.skipif(BROWSER is None, reason=WHY_NOT)

# What a person does; what came of it goes into an attribute of the page.
STEPS = """
const told = {};
const table = Array.from(document.querySelectorAll("table")).find((one) => one.querySelector("thead button"));
const column = Array.from(table.querySelectorAll("thead th.n"))[0];
const values = () => Array.from(table.tBodies[0].rows, (row) => row.cells[column.cellIndex].textContent);
column.querySelector("button").click();
told.up = values();
told.sort = column.getAttribute("aria-sort");
column.querySelector("button").click();
told.down = values();
const check = document.querySelector("#map .filter input");
check.click();
const name = check.parentNode.textContent.trim();
told.off = Array.from(document.querySelectorAll("#map .off"), (one) => one.dataset.cluster);
told.of = document.querySelectorAll(`#map [data-cluster="${name}"]`).length;
told.name = name;
const row = document.querySelector("#review fieldset");
row.querySelector("input[value=no]").click();
row.querySelector(".note input").value = "<fans>";
document.querySelector("[name=reviewer]").value = "ana";
let saved = null;
URL.createObjectURL = (blob) => { saved = blob; return "#"; };
document.getElementById("save").click();
saved.text().then((text) => { told.saved = JSON.parse(text); document.body.dataset.told = JSON.stringify(told); });
"""


def browse(path, folder, *options):
    made = subprocess.run(
        [
            BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            "--no-first-run", "--enable-logging=stderr", "--virtual-time-budget=5000", f"--user-data-dir={folder}",
            *options, path.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    complaints = [line for line in made.stderr.splitlines() if "CONSOLE" in line]
    return made.stdout, complaints


@pytest.fixture(scope="module")
def page(small_study, tmp_path_factory):
    path = tmp_path_factory.mktemp("browser") / "report.html"
    write_report(path, small_study)
    return path


def test_nothing_is_complained_of_and_the_script_runs(page, tmp_path):
    shown, complaints = browse(page, tmp_path, "--dump-dom")
    assert complaints == []
    assert shown.count("<button") > 5
    assert re.search(r'<fieldset class="filter"><legend>Show on the map</legend>', shown)


def test_the_policy_stops_what_is_not_the_pages_own(page, tmp_path):
    spoilt = page.with_name("spoilt.html")
    spoilt.write_text(page.read_text().replace("</main>", "</main><script>document.title = 'owned'</script>"))
    shown, complaints = browse(spoilt, tmp_path, "--dump-dom")
    assert "<title>owned" not in shown
    assert any("Content Security Policy" in line for line in complaints)


def test_what_a_person_clicks_does_what_it_says(page, tmp_path, small_study):
    driven = page.with_name("driven.html")
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text())
    driven.write_text(text.replace("</body>", f"<script>{STEPS}</script></body>"))
    shown, complaints = browse(driven, tmp_path, "--dump-dom")
    assert complaints == []
    told = json.loads(unescape(re.search(r'data-told="([^"]*)"', shown)[1]))
    up = [float(value.replace(",", "")) for value in told["up"] if value]
    assert up == sorted(up)
    assert told["sort"] == "ascending"
    assert [float(value.replace(",", "")) for value in told["down"] if value] == up[::-1]
    assert set(told["off"]) == {told["name"]}
    assert len(told["off"]) == told["of"] > 0
    first = small_study.clusters.filter("flagged")["cluster_id"][0]
    saved = told["saved"]
    assert saved["reviews"] == [{"cluster_id": first, "verdict": "no", "note": "<fans>"}]
    assert (saved["format"], saved["reviewer"]) == ("propgraph-review-1", "ana")
    assert saved["clusters"] == small_study.ids["clusters"]


def test_it_prints_to_pages(page, tmp_path):
    browse(page, tmp_path / "profile", f"--print-to-pdf={tmp_path / 'report.pdf'}")
    printed = (tmp_path / "report.pdf").read_bytes()
    assert printed.startswith(b"%PDF")
    assert printed.count(b"/Type /Page\n") > 3
