"""What is known of the accounts, from a table that the user brings."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from propgraph.errors import InputError, did_you_mean
from propgraph.readers.side import read_side_table

YES = ("true", "1", "1.0", "yes")
NO = ("false", "0", "0.0", "no")
_SHOWN = 5


def read_truth(path: str | Path, /, *, label: str = "label", positive: str | None = None) -> pl.DataFrame:
    """Return what a table says of the accounts.

    Parameters
    ----------
    path
        CSV, TSV, JSON, NDJSON, Parquet or Arrow, with the columns `account_id` and that of the label, and where
        it knows them `group` and `kind`; where an account has no kind, its `campaign` is taken for it.
    label
        The column with the label; it may be `group`, `kind` or `campaign`.
    positive
        The label of the accounts that are to be found, all others being negative. None: labels are true or
        false, 1 or 0, yes or no, in whatever case.

    Returns
    -------
    pl.DataFrame
        `account_id` (String), `label` (Boolean), `group` (String, who runs the account), `kind` (String, what
        sort of account it is, or its campaign), the latter two null where the table does not say; one row an
        account, sorted.

    Raises
    ------
    InputError
        When the file cannot be read or lacks a column, an id or a label, has a label that is none of those, or
        says two different things of one account.

    Examples
    --------
    >>> import polars as pl
    >>> import propgraph as pg
    >>> pl.DataFrame({"account_id": ["ana", "bo", "cy"], "role": ["troll", "fan", "troll"]}).write_csv("truth.csv")
    >>> pg.read_truth("truth.csv", label="role", positive="troll").select("account_id", "label").rows()
    [('ana', True), ('bo', False), ('cy', True)]
    """
    table = read_side_table(
        path,
        columns=tuple(dict.fromkeys(("account_id", label))),
        what="what is known of accounts",
        optional=tuple(name for name in ("group", "kind", "campaign") if name != label),
        advice={label: "say which of them is the label with --label NAME (in Python: label=)"},
    ).select(
        "account_id", pl.col(label).alias("label"), "group", pl.coalesce("kind", "campaign").alias("kind")
    )
    lacking = table.filter(pl.col("account_id").is_null() | pl.col("label").is_null()).height
    if lacking:
        raise InputError(f"{path}: {lacking:,} of {table.height:,} rows lack an account_id or a {label}")
    table = table.with_columns(label=labels_of(path, table["label"], positive)).unique().sort("account_id")
    twice = table.filter(pl.col("account_id").is_duplicated())
    if twice.height:
        raise InputError(
            f"{path}: says different things of account {twice.item(0, 'account_id')!r} in several rows "
            f"({twice['account_id'].n_unique():,} such accounts); leave one row an account"
        )
    return table


def labels_of(path: str | Path, label: pl.Series, positive: str | None, /) -> pl.Series:
    """Return labels as Boolean: equal to `positive`, or the words for yes and no; `path` is for errors."""
    if positive is not None:
        if label.len() and not (label == positive).any():
            there = label.unique().sort().to_list()
            raise InputError(
                f"{path}: no row has the label {positive!r}{did_you_mean(positive, there)}; "
                f"the labels are {_listed(there)}"
            )
        return label == positive
    word = label.str.strip_chars().str.to_lowercase()
    strange = label.filter(~word.is_in([*YES, *NO])).unique().sort().to_list()
    if strange:
        raise InputError(
            f"{path}: the label has to be true or false, 1 or 0, yes or no, and some are {_listed(strange)}; "
            "name the label of those to be found with --positive NAME (in Python: positive=)"
        )
    return word.is_in(list(YES))


def _listed(labels: list[str]) -> str:
    more = f" and {len(labels) - _SHOWN:,} more" if len(labels) > _SHOWN else ""
    return ", ".join(map(repr, labels[:_SHOWN])) + more
