"""One door: what is meant by a word, explained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from propgraph.arrays.types import Progress
from propgraph.errors import UsageError, check_at_least
from propgraph.report.document import Document
from propgraph.report.explain.groups import explain_campaign, explain_cluster
from propgraph.report.explain.operators import explain_operator
from propgraph.report.explain.overturn import overturned
from propgraph.report.explain.people import explain_account, explain_pair
from propgraph.report.explain.subject import find_subject
from propgraph.report.explain.things import explain_post, explain_site
from propgraph.study import Study, opened
from propgraph.words.said import ENGLISH, read_in

#: Posts shown for each reason, unless another number is asked for.
POSTS = 10


def explain(
    study: Study | str | Path,
    what: str,
    /,
    *,
    posts: int = POSTS,
    overturn: bool = False,
    language: str = ENGLISH,
    progress: Progress | None = None,
) -> Document:
    """Return why something is, or is not, flagged: the posts that show it, and what else would explain them.

    Parameters
    ----------
    study
        A study, open or by its path.
    what
        An account, its name, a cluster, campaign, site, group of sites (`o1`) or post, two accounts as `a,b`, or one
        rule as `c1:turnout`; or how an id begins, if only one thing begins so.
    posts
        At most so many posts a reason.
    overturn
        Of a cluster: search the log again without one object, or one member, at a time, and say whether the flag falls.
        It takes about ten times as long as `find_clusters`.
    language
        In which it is told: `en` or `fr`.
    progress
        Called with a label and the fraction done, 0..1, while the log is searched again.

    Returns
    -------
    Document
        Title and parts; `as_markdown`, `as_html` and `as_record` write them.

    Raises
    ------
    UsageError
        When nothing, or more than one thing, is called so; when `overturn` is asked of what is no cluster; when the
        language is unknown.
    StudyError
        When there is no study, or it is not whole.

    Examples
    --------
    >>> import propgraph as pg
    >>> log = pg.simulate_veles(n_accounts=300, n_days=3, n_sites=5, n_seeders=50, strength=3).log
    >>> study = pg.find_clusters(pg.build(log, "study"))
    >>> found = pg.explain(study, "c1:at-once", posts=3)
    >>> found.title
    'c1: at-once'
    >>> found.parts[0].table.select("after_s").to_series().to_list()[0]
    0.0
    """
    source = opened(study)
    check_at_least("posts", posts, 1)
    with read_in(language):
        return _explained(source, what, posts=posts, overturn=overturn, progress=progress)


def _explained(
    source: Study, what: str, *, posts: int, overturn: bool, progress: Progress | None
) -> Document:
    subject = find_subject(source, what)
    if overturn and subject.kind != "cluster":
        raise UsageError(
            f"only a cluster's flag can be overturned, and {what!r} is of kind {subject.kind!r}",
            option="overturn",
        )
    if subject.kind == "account":
        return explain_account(source, subject.id, posts=posts)
    if subject.kind == "pair":
        return explain_pair(source, subject.id, str(subject.other), posts=posts)
    if subject.kind == "post":
        return explain_post(source, subject.id, posts=posts)
    of = {
        "cluster": explain_cluster, "campaign": explain_campaign, "operator": explain_operator, "site": explain_site,
    }[subject.kind]  # fmt: skip
    document = of(source, subject.id, rule=subject.other, posts=posts)
    if not overturn:
        return document
    *parts, unknown = document.parts
    return replace(document, parts=(*parts, overturned(source, subject.id, progress=progress), unknown))
