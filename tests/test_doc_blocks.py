"""Every command and code block of the README and of the documentation runs, on the sample, and prints what it shows."""

import os
import shutil
from pathlib import Path

import pytest

import propgraph as pg
from propgraph.export.network import write_network
from tests.doc_blocks import RUN, Reader, blocks, rscript

ROOT = Path(__file__).parent.parent
#: Pages that the code writes, whose examples have a test of their own (`test_examples.py`) or are no code.
GENERATED = ("reference.md", "formats.md")
PAGES = [
    ROOT / "README.md",
    *(path for path in sorted((ROOT / "docs").glob("*.md")) if path.name not in GENERATED),
]
BLOCKS = [block for page in PAGES for block in blocks(page)]
LEFT_OUT = [block for block in BLOCKS if block.reason]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """What `make demo` leaves, but for the comparison with the truth."""
    folder = tmp_path_factory.mktemp("demo")
    data = ROOT / "data"
    pg.build(data / "veles.parquet", folder / "study")
    study = pg.find_clusters(
        folder / "study",
        sites=data / "site_facts.csv",
        articles=data / "articles.csv.gz",
        ads=data / "ads.csv",
    )
    write_network(folder / "network.graphml", study)
    return folder


@pytest.fixture
def desk(demo, tmp_path, monkeypatch):
    """A folder like a clone after `make demo`, as far as the pages need it."""
    shutil.copytree(ROOT / "data", tmp_path / "data")
    shutil.copytree(demo, tmp_path / "demo", copy_function=os.link)
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "propgraph.R", tmp_path / "docs")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=lambda page: page.name)
def test_what_a_page_says_can_be_done_as_it_says(page, desk):
    if any(block.language == "r" for block in blocks(page)) and rscript() is None:
        pytest.skip("no Rscript with data.table and igraph is installed")
    reader = Reader(desk)
    for block in blocks(page):
        if not block.reason:
            reader.follow(block)


@pytest.mark.parametrize("block", LEFT_OUT, ids=lambda block: block.place)
def test_a_block_that_does_not_run_says_why(block):
    pytest.skip(block.reason)


def test_hardly_any_block_is_left_out_and_each_is_of_a_known_kind():
    assert {block.language for block in BLOCKS} <= {*RUN, "text", "csv", "toml", "html", "json", "bibtex"}
    code = [block for block in BLOCKS if block.language in RUN]
    assert len(code) > 40
    assert len([block for block in code if block.reason]) <= len(code) // 8
    # A comment that leaves out no block would be a reason that nobody sees.
    assert sum(page.read_text(encoding="utf-8").count("<!-- not run:") for page in PAGES) == len(LEFT_OUT)
