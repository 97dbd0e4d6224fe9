"""What a job does with the user's tables of sites: read, hide what leads to people, tell, and count who is there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from propgraph.errors import InputError
from propgraph.provenance import Run
from propgraph.pseudonyms.keys import Key, read_key
from propgraph.sites.facts import SiteFacts, read_sites, with_hidden_names
from propgraph.study import Study

#: One table of sites, or several.
Sites = str | Path | Sequence[str | Path]


def paths_of(sites: Sites | None, /) -> list[str]:
    """Return the paths of tables of sites as text, for a run record."""
    if sites is None:
        return []
    return [str(sites)] if isinstance(sites, str | Path) else [str(path) for path in sites]


def facts_to_keep(sites: Sites, run: Run, /, *, secret: Key | None) -> pl.DataFrame:
    """Return the facts of the tables as a study keeps them; what was left out goes into the record.

    Parameters
    ----------
    sites
        The tables.
    run
        The run record; `sites` there says of each file what was used.
    secret
        The key of a study with pseudonyms.
    """
    read: SiteFacts = read_sites(sites)
    run.record["sites"] = read.record
    for note in read.notes:
        run.note(note)
    return read.facts if secret is None else with_hidden_names(read.facts, key=secret)


def tell_absent(facts: pl.DataFrame, sites: pl.Series, run: Run, /) -> None:
    """Tell how many sites of the tables the log shares.

    Parameters
    ----------
    facts
        `schema.SITE_FACTS`.
    sites
        The sites of the log.
    """
    told = facts["site"].unique()
    there = int(told.is_in(sites.drop_nulls().unique().implode()).sum())
    if there < told.len():
        run.note(
            f"{told.len() - there:,} of the {told.len():,} sites of the tables of sites are not shared in this log"
        )


def key_of(study: Study, /) -> Key | None:
    """Return the key of a study's pseudonyms, None where it has none.

    Raises
    ------
    InputError
        When the study has pseudonyms and their key is not there any more, or is another.
    """
    built = study.run["build"]
    made = built.get("pseudonyms")
    if made is None:
        return None
    key = read_key(study.path, built["parameters"].get("key"))
    if key.is_new or key.record["key_fingerprint"] != made["key_fingerprint"]:
        raise InputError(
            f"{key.path}: not the key of this study's pseudonyms; registrants and owners would stand in it by name. "
            "Put the key back there, or give the table to `propgraph build --sites`",
            option="sites",
        )
    return key
