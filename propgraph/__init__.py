"""Graph analysis of how fake news propagates: cascades, co-sharing networks, organised clusters, seeded sites.

Every name here is a pure function over Polars frames, or the study folder that the two jobs make:
`build` goes from logs to cascades and co-sharing edges, `find_clusters` on to flags and evidence.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str
    from propgraph.cascades.build import build_cascades as build_cascades
    from propgraph.cascades.shapes.percentiles import size_matched_percentiles as size_matched_percentiles
    from propgraph.communities import detect_communities as detect_communities
    from propgraph.communities import detect_multiplex as detect_multiplex
    from propgraph.comparison.compare import compare as compare
    from propgraph.cosharing.window import cosharing_edges as cosharing_edges
    from propgraph.errors import InputError as InputError
    from propgraph.errors import PropgraphError as PropgraphError
    from propgraph.errors import StudyError as StudyError
    from propgraph.errors import UnknownColumnsError as UnknownColumnsError
    from propgraph.errors import UsageError as UsageError
    from propgraph.evaluation.evaluate import evaluate as evaluate
    from propgraph.evaluation.truth import read_truth as read_truth
    from propgraph.export.folder import export_study as export_study
    from propgraph.export.gexf import write_gexf as write_gexf
    from propgraph.export.graphml import write_graphml as write_graphml
    from propgraph.export.network import write_network as write_network
    from propgraph.export.stix import write_stix as write_stix
    from propgraph.jobs.build import build as build
    from propgraph.jobs.clusters import find_clusters as find_clusters
    from propgraph.jobs.power import measure_power as measure_power
    from propgraph.jobs.stability import measure_stability as measure_stability
    from propgraph.networks import join_traces as join_traces
    from propgraph.networks import to_igraph as to_igraph
    from propgraph.readers.read import read_log as read_log
    from propgraph.report.explain.explain import explain as explain
    from propgraph.report.page.report import write_report as write_report
    from propgraph.simulate.app import simulate_app as simulate_app
    from propgraph.simulate.crowdturf import simulate_crowdturf as simulate_crowdturf
    from propgraph.simulate.veles import simulate_veles as simulate_veles
    from propgraph.simulate.workforce import simulate_workforce as simulate_workforce
    from propgraph.study import Study as Study
    from propgraph.synchrony.joint import joint_synchrony as joint_synchrony
    from propgraph.synchrony.pairs import rank_synchrony as rank_synchrony
    from propgraph.traces.make import make_shares as make_shares
    from propgraph.traces.urls import canonicalise_urls as canonicalise_urls
    from propgraph.trees import read_cascade as read_cascade

_HOME = {
    "InputError": "errors",
    "PropgraphError": "errors",
    "Study": "study",
    "StudyError": "errors",
    "UnknownColumnsError": "errors",
    "UsageError": "errors",
    "build": "jobs.build",
    "build_cascades": "cascades.build",
    "canonicalise_urls": "traces.urls",
    "compare": "comparison.compare",
    "cosharing_edges": "cosharing.window",
    "detect_communities": "communities",
    "detect_multiplex": "communities",
    "evaluate": "evaluation.evaluate",
    "explain": "report.explain.explain",
    "export_study": "export.folder",
    "find_clusters": "jobs.clusters",
    "join_traces": "networks",
    "joint_synchrony": "synchrony.joint",
    "make_shares": "traces.make",
    "measure_power": "jobs.power",
    "measure_stability": "jobs.stability",
    "rank_synchrony": "synchrony.pairs",
    "read_cascade": "trees",
    "read_log": "readers.read",
    "read_truth": "evaluation.truth",
    "simulate_app": "simulate.app",
    "simulate_crowdturf": "simulate.crowdturf",
    "simulate_veles": "simulate.veles",
    "simulate_workforce": "simulate.workforce",
    "size_matched_percentiles": "cascades.shapes.percentiles",
    "to_igraph": "networks",
    "write_gexf": "export.gexf",
    "write_graphml": "export.graphml",
    "write_network": "export.network",
    "write_stix": "export.stix",
    "write_report": "report.page.report",
}

__all__ = sorted(_HOME)  # noqa: PLE0605 - one list of names, in _HOME


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("propgraph")
    # Imported on first use: numba and igraph take longer to load than most commands take to parse.
    if name not in _HOME:
        raise AttributeError(f"module 'propgraph' has no attribute {name!r}")
    return getattr(import_module(f"propgraph.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
