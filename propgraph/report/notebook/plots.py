"""The figures of the report, as methods of a study: each is shown by the cell that makes it, and can be saved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from propgraph.errors import StudyError, did_you_mean
from propgraph.export.tree_marks import tree_marks
from propgraph.export.tree_picture import tree_svg
from propgraph.report.figures.axes import drawing, text
from propgraph.report.figures.bar_code import bar_code
from propgraph.report.figures.creation import creation
from propgraph.report.figures.early_share import early_share
from propgraph.report.figures.figure import Figure
from propgraph.report.figures.gaps import gaps
from propgraph.report.figures.heat_map import heat_map
from propgraph.report.figures.network_map import network_map
from propgraph.report.figures.timeline import Event, timeline
from propgraph.report.figures.waterfall import waterfall
from propgraph.study import Study
from propgraph.trees import find_cascade, read_tree


@dataclass(frozen=True)
class Plots:
    """The figures of one study.

    Where a log cannot tell what a figure is to show, the figure says why.

    Attributes
    ----------
    study
        The study; all but `cascade` need its clusters.
    """

    study: Study

    def timeline(self, events: Sequence[Event] = (), *, least_accounts: int = 1) -> Figure:
        """Draw all posts over time, those of flagged clusters coloured, with days marked: `(date, name)`."""
        made = timeline(self.study, events, least_accounts=least_accounts)
        return made or _nothing("there are no posts")

    def network(self, *, least_accounts: int = 1) -> Figure:
        """Draw who met whom, members of flagged clusters coloured, clusters of fewer accounts grey."""
        made = network_map(self.study, least_accounts=least_accounts)
        return made or _nothing("nobody met anybody within the window")

    def score(self, cluster_id: str, /) -> Figure:
        """Draw what adds to a cluster's score and what cuts it."""
        return self._of(cluster_id, waterfall, "no rule fired")

    def heatmap(self, cluster_id: str, /) -> Figure:
        """Draw at which hours of the week a cluster posts, beside accounts as active."""
        return self._of(cluster_id, heat_map, "fewer than twenty posts have times of an hour or finer")

    def gaps(self, cluster_id: str, /) -> Figure:
        """Draw how far apart members post the same, beside others who shared it."""
        return self._of(cluster_id, gaps, "members hardly followed each other at what others shared, too")

    def bar_code(self, cluster_id: str, /) -> Figure:
        """Draw who shared what members have in common, object by object."""
        return self._of(cluster_id, bar_code, "members have fewer than three objects in common")

    def creation(self, cluster_id: str, /) -> Figure:
        """Draw when the members' accounts were made, beside all others."""
        return self._of(cluster_id, creation, "the log says of too few accounts when they were made")

    def early_share(self, cluster_id: str, /) -> Figure:
        """Draw the members' part in the first posts of cascades."""
        return self._of(cluster_id, early_share, "members stand in no cascade of ten posts or more")

    def cascade(self, cascade_id: str, /, *, width: int = 1600) -> Figure:
        """Draw one cascade as a tree, its root in the middle, posts of flagged clusters coloured."""
        row = find_cascade(self.study, cascade_id)
        tree = read_tree(self.study, row)
        told = f"The cascade {row['cascade_id']}: {tree.nodes.height:,} posts"
        caption = f"{told}, each below the one that it passes on. Coloured are those of flagged clusters."
        return Figure(tree_svg(tree, marks=tree_marks(self.study, tree), width=width), told, caption)

    def _of(self, cluster_id: str, draw: Callable[[Study, str], Figure | None], where_none: str) -> Figure:
        known = self.study.scan("clusters").select("cluster_id").collect()["cluster_id"].to_list()
        if cluster_id not in known:
            raise StudyError(
                f"{self.study.path}: no cluster is called {cluster_id!r}{did_you_mean(cluster_id, known)}; "
                "study.clusters lists them"
            )
        return draw(self.study, cluster_id) or _nothing(where_none)


def _nothing(why: str) -> Figure:
    told = f"Nothing to draw: {why}."
    return Figure(drawing(28, [text(4, 18, told)], alt=told), told, "")
