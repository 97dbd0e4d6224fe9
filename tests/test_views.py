"""What a study shows of itself: in a cell of a notebook, at a prompt, as files."""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from types import SimpleNamespace
from xml.etree import ElementTree

import polars as pl
import pytest

import propgraph as pg
from propgraph.errors import StudyError, UsageError
from propgraph.progress import in_notebook, shows_progress
from propgraph.report.document import Document, Part

HOSTILE = '<script>alert("x")</script>\x1b[31m\u202e'


class Checked(HTMLParser):
    """Finds elements that are not closed, and those that would run something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        assert not any(name.startswith("on") or name in ("href", "src") for name, _ in attrs)
        self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def checked(text: str) -> Checked:
    page = Checked(text)
    assert page.open == []
    assert "script" not in page.tags
    return page


def flagged(study) -> str:
    return study.clusters.filter("flagged")["cluster_id"][0]


def test_a_study_tells_its_counts(small_study):
    counts = small_study.run["build"]["counts"]
    told = repr(small_study)
    assert f"{counts['posts']:,} posts, {counts['accounts']:,} accounts" in told
    n, of = small_study.clusters["flagged"].sum(), small_study.clusters.height
    assert f"{n} of {of} clusters flagged" in told
    assert (
        repr(pg.Study("nowhere")) == "Study('nowhere': )"
    )  # what is not there tells nothing, and raises nothing


def test_a_cell_shows_counts_what_is_flagged_and_what_to_type_next(small_study):
    shown = small_study._repr_html_()
    checked(shown)
    for word in (flagged(small_study), "clusters flagged", "study.plot.timeline()", "not a verdict"):
        assert word in shown
    assert f"study.explain(&#x27;{small_study.clusters['cluster_id'][0]}&#x27;)" in shown


def test_a_study_without_clusters_says_what_comes_next(tmp_path):
    log = pl.DataFrame(
        {"account_id": ["a", "b"], "timestamp": [1_700_000_000, 1_700_000_001], "url": ["https://a.b/c"] * 2}
    )
    study = pg.build(log, tmp_path / "<b>study</b>")
    shown = study._repr_html_()
    checked(shown)
    assert "propgraph.find_clusters(study)" in shown
    assert "<b>study</b>" not in shown
    assert "no post ids; made from account, time and content" in shown
    with pytest.raises(StudyError, match="run `propgraph clusters` first"):
        study.evidence_posts("c1")
    with pytest.raises(StudyError, match="run `propgraph clusters` first"):
        study.plot.timeline()


def test_hostile_names_reach_no_cell(own_study):
    clusters = own_study.clusters.with_columns(cluster_id=pl.lit(HOSTILE), innocent=pl.lit([HOSTILE]))
    clusters.write_parquet(own_study.file("clusters"))
    shown = own_study._repr_html_()
    checked(shown)
    assert "&lt;script&gt;" in shown
    document = Document(
        "post", HOSTILE, HOSTILE, (Part(HOSTILE, (HOSTILE,), pl.DataFrame({"text": [HOSTILE]})),)
    )
    checked(document._repr_html_())
    assert "\x1b" not in repr(document)
    assert "\u202e" not in repr(document)
    assert "<script>" not in document._repr_markdown_()


def test_what_is_explained_shows_itself(small_study):
    found = small_study.explain(flagged(small_study), posts=2)
    assert found.as_record() == pg.explain(small_study, flagged(small_study), posts=2).as_record()
    checked(found._repr_html_())
    told = repr(found)
    assert told.splitlines()[0] == found.title
    for part in found.parts:
        assert part.heading in told
        assert part.heading.replace("-", "") in found._repr_markdown_().replace("\\", "").replace("-", "")


def test_the_posts_behind_a_flag_are_those_of_the_evidence(small_study):
    cluster = flagged(small_study)
    posts = small_study.evidence_posts(cluster)
    evidence = small_study.evidence.filter(subject_id=cluster)
    assert posts.columns == ["rule", *small_study.posts.columns]
    for row in evidence.iter_rows(named=True):
        mine = posts.filter(rule=row["rule"])
        assert set(mine["content_id"]) == set(row["content_ids"])
        assert mine["timestamp"].is_sorted()
        assert small_study.evidence_posts(f"{cluster}:{row['rule']}").equals(mine)
    assert posts["rule"].unique(maintain_order=True).to_list() == [
        rule for rule, ids in evidence.select("rule", "content_ids").rows() if ids
    ]
    with pytest.raises(StudyError, match="no evidence on 'c99'"):
        small_study.evidence_posts("c99")
    with pytest.raises(StudyError, match=r"not flagged by 'turnot'.*it is by"):
        small_study.evidence_posts(f"{cluster}:turnot")


OF_A_CLUSTER = ["score", "heatmap", "gaps", "bar_code", "creation", "early_share"]


@pytest.mark.parametrize("name", ["timeline", "network", "cascade", *OF_A_CLUSTER])
def test_a_figure_is_shown_and_saved(small_study, tmp_path, name):
    words = [flagged(small_study)] if name in OF_A_CLUSTER else []
    if name == "cascade":
        words = [small_study.cascades.sort("size", "cascade_id")["cascade_id"][-1]]
    made = getattr(small_study.plot, name)(*words)
    checked(made._repr_html_())
    assert repr(made) == f"Figure: {made.alt}"
    made.save(tmp_path / "figure.svg")
    assert ElementTree.parse(tmp_path / "figure.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"
    with pytest.raises(UsageError):
        made.save(tmp_path)


def test_a_figure_that_cannot_be_says_why_and_is_a_figure(own_study):
    own_study.accounts.with_columns(created_at=pl.lit(None, pl.Datetime("ms", "UTC"))).write_parquet(
        own_study.file("accounts")
    )
    made = own_study.plot.creation(flagged(own_study))
    assert made.alt == "Nothing to draw: the log says of too few accounts when they were made."
    assert made.alt in ElementTree.fromstring(made.svg)[0].text


def test_what_is_not_there_is_named(small_study):
    for name in OF_A_CLUSTER:
        with pytest.raises(StudyError, match=r"no cluster is called 'c0'.*study\.clusters lists them"):
            getattr(small_study.plot, name)("c0")
    with pytest.raises(StudyError):
        small_study.plot.cascade("nowhere")


def test_export_is_that_of_the_package(small_study, tmp_path):
    written = small_study.export(tmp_path / "own", tables="clusters")
    assert written.equals(pg.export_study(small_study, tmp_path / "other", tables="clusters"))
    assert (tmp_path / "own" / "clusters.csv").read_bytes() == (
        tmp_path / "other" / "clusters.csv"
    ).read_bytes()


@pytest.fixture
def cell(monkeypatch):
    """A stand-in for IPython with a kernel: what a cell was shown, picture by picture."""
    pictures = []
    handle = SimpleNamespace(update=pictures.append)

    def display(picture, *, display_id):
        assert display_id is True
        pictures.append(picture)
        return handle

    module = SimpleNamespace(
        get_ipython=lambda: SimpleNamespace(kernel=object()), display=SimpleNamespace(display=display)
    )
    monkeypatch.setitem(sys.modules, "IPython", module)
    return pictures


@shows_progress
def job(*, progress=None, fail=False):
    if progress is not None:
        for k in range(1000):
            progress("counting <all>", k / 1000)
    if fail:
        raise StudyError("no")
    return progress


def test_a_job_in_a_notebook_shows_how_far_it_is(cell, monkeypatch):
    monkeypatch.setattr("propgraph.progress._BETWEEN_S", 0.0)
    assert in_notebook()
    assert job() is not None
    assert len(cell) == 1002
    assert repr(cell[0]) == "job: starting 0%, 0 s"
    assert repr(cell[501]) == "job: counting <all> 50%, 0 s"
    assert '<progress value="0.500" max="1"></progress>' in cell[501]._repr_html_()
    assert all(checked(picture._repr_html_()) for picture in cell[:3])
    assert repr(cell[-1]) == "job: done, 0 s"
    cell.clear()
    with pytest.raises(StudyError):
        job(fail=True)
    assert repr(cell[-1]) == "job: stopped, 0 s"


def test_few_pictures_are_drawn_however_often_a_job_tells_of_itself(cell):
    job()
    assert 2 <= len(cell) < 100


def test_nothing_is_shown_where_nobody_looks_or_the_caller_does(cell, monkeypatch):
    told = []
    job(progress=lambda label, done: told.append(done))
    assert len(told) == 1000
    assert cell == []
    monkeypatch.delitem(sys.modules, "IPython")
    assert not in_notebook()
    assert job() is None


@pytest.mark.parametrize("job", ["build", "find_clusters", "measure_power", "measure_stability"])
def test_the_long_jobs_show_how_far_they_are(job):
    assert hasattr(getattr(pg, job), "__wrapped__")
