"""The step that tells what members are like beside accounts that are like them: how they were made, what they post."""

from __future__ import annotations

import polars as pl

from propgraph.clusters.fan_out import with_fan_out
from propgraph.clusters.inputs import ClusterInputs
from propgraph.clusters.matched import like_members, population_of
from propgraph.clusters.originality import with_originality
from propgraph.clusters.profiles import with_profiles
from propgraph.clusters.templates import with_templates
from propgraph.options import ClusterOptions
from propgraph.study import Study


def with_traits(
    *,
    study: Study,
    inputs: ClusterInputs | None,
    table: pl.DataFrame,
    links: pl.DataFrame,
    options: ClusterOptions,
) -> tuple[pl.DataFrame, int]:
    """Return the figures of clusters with those that are held against like accounts (see `schema.profiles`).

    And how many remarks of members were too many to be sought in the whole log.
    """
    if inputs is None:
        return table, 0
    population = population_of(study, inputs.members)
    like = like_members(population)
    table = with_profiles(table, population, study=study, inputs=inputs, seed=options.seed)
    table = with_fan_out(table, population, study=study, inputs=inputs, seed=options.seed)
    table = with_originality(table, like, study=study, inputs=inputs, seed=options.seed)
    return with_templates(table, like, links, study=study, inputs=inputs, seed=options.seed)
