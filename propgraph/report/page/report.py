"""The report: a study written as one page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from propgraph.errors import StudyError, check_choice
from propgraph.export.tables import whole_file
from propgraph.report.page.audience import AUDIENCES
from propgraph.report.page.events import Event, read_events
from propgraph.report.page.findings import Findings
from propgraph.report.page.page import page
from propgraph.study import Study, opened, run_first, unchanged
from propgraph.words.said import ENGLISH, read_in
from propgraph.words.sentences import LANGUAGES


def write_report(
    path: str | Path,
    study: Study | str | Path,
    /,
    *,
    audience: str = "analyst",
    events: str | Path | Iterable[tuple[date, str]] = (),
    title: str | None = None,
    language: str = ENGLISH,
) -> None:
    """Write what was found in a study as one page (HTML): to read offline, to print, to hand over.

    The page asks nobody for anything, holds its own style, script and figures, and can be read without the script.
    Addresses stand in it as text that leads nowhere (`hxxps://news[.]example`). The same study gives the same bytes.

    Parameters
    ----------
    path
        The file; one that exists is replaced.
    study
        A study with clusters, open or by its path.
    audience
        `analyst`: everything. `platform`: accounts, ids of posts and times, without texts. `public`: no account, no
        post, no text, and no cluster of fewer than five accounts.
    events
        Dates to be marked, with what happened; or a table of them with the columns `date` and `label`.
    title
        What stands above it; by default the name of the log and the days that it spans.
    language
        In which it is told: `en` or `fr`.

    Raises
    ------
    StudyError
        When there is no study, or it has no clusters yet.
    InputError
        When the table of dates cannot be read.
    UsageError
        When an audience or language is unknown, or `path` is a folder or lies in none.

    Examples
    --------
    >>> import propgraph as pg
    >>> log = pg.simulate_veles(n_accounts=300, n_days=3, n_sites=5, n_seeders=50, strength=3).log
    >>> study = pg.find_clusters(pg.build(log, "study"))
    >>> pg.write_report("report.html", study, audience="public")
    >>> with open("report.html", encoding="utf-8") as page:
    ...     page.readline().strip()
    '<!DOCTYPE html>'
    """
    check_choice("audience", audience, AUDIENCES)
    check_choice("language", language, LANGUAGES)
    dates = read_events(events) if isinstance(events, (str, Path)) else tuple(Event(*one) for one in events)
    source = opened(study)
    if "clusters" not in source.run:
        raise StudyError(f"{source.path}: no clusters yet; {run_first('clusters')}")
    with unchanged(source), whole_file(path) as file, read_in(language):
        file.write(page(Findings(source, AUDIENCES[audience], dates), title=title).encode())
