"""Who carries which tracking tokens: the links of each account by token and site, and families of tokens."""

from __future__ import annotations

import polars as pl

from propgraph.study import Study

# These are made anew for each click or visit, and tell nothing of who handed a link out.
_PER_CLICK = (
    r"^(?:fbclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|twclid|ttclid|li_fat_id|yclid|ymclid|igshid|igsh|srsltid"
    r"|mibextid|_ga|_gl|__tn__|__cft__.*|__xts__.*|ref_url|usqp|phpsessid|jsessionid|sid|sessid|sessionid|session_id)="
)
# Letters, then digits: `r00` to `r07` are one family, whatever the parameter is called.
_NUMBERED = r"^[^=]*=(.*\p{L}.*?)(\d{1,18})$"
_CARRIED = pl.Schema(
    {
        "mark": pl.String(), "kind": pl.String(), "token": pl.String(), "account_id": pl.String(),
        "site": pl.String(), "n_links": pl.UInt32(),
    }
)  # fmt: skip


def posts_with_tokens(study: Study, /) -> pl.LazyFrame:
    """Return `account_id, content_id, timestamp, object_id` (the URL) and `token`, a row for each post, URL and token.

    A reshare carries the link as another wrote it, so its tokens are not its account's. What a platform makes anew for
    each click is left out.
    """
    reshares = study.scan("posts").filter(pl.col("kind") == "reshare").select("content_id")
    return (
        study.scan("shares")
        .filter(pl.col("trace") == "url", pl.col("tokens").is_not_null())
        .join(reshares, on="content_id", how="anti")
        .select("account_id", "content_id", "timestamp", "object_id", token=pl.col("tokens").str.split("&"))
        .explode("token")
        .filter(pl.col("token").str.len_chars() > 0, ~pl.col("token").str.contains(f"(?i){_PER_CLICK}"))
    )


def carried_tokens(study: Study, /) -> pl.DataFrame:
    """Return who carries which tokens to which sites, and which families of tokens.

    A family are tokens numbered on: one text and numbers of one length, of which half or more between the least and
    the greatest occur.

    Parameters
    ----------
    study
        The study.

    Returns
    -------
    pl.DataFrame
        `mark` (the token, or the family with # for each digit), `kind` (`token`, `family`), `token`, `account_id`,
        `site` (registrable domain), `n_links` (different URLs), a row for each mark, token, account and site; empty
        where the log's links carry none.
    """
    sites = study.scan("objects").filter(pl.col("trace") == "url").select("object_id", "site")
    posts = posts_with_tokens(study).select("account_id", "object_id", "token").unique()
    carried = (
        posts.join(sites, on="object_id", how="left")
        .group_by("token", "account_id", "site")
        .agg(n_links=pl.len())
        .collect()
    )
    tokens = carried.select("token").unique()
    marks = pl.concat([tokens.select("token", mark="token", kind=pl.lit("token")), _families(tokens)])
    return carried.join(marks, on="token").select(*_CARRIED).cast(_CARRIED)


def _families(tokens: pl.DataFrame) -> pl.DataFrame:
    """Return `token`, `mark`, `kind` of those of the tokens that are numbered on. No token has a # in it."""
    parts = tokens.with_columns(
        stem=pl.col("token").str.extract(_NUMBERED, 1), digits=pl.col("token").str.extract(_NUMBERED, 2)
    ).drop_nulls("digits")
    number, of = pl.col("digits").cast(pl.Int64), ("stem", pl.col("digits").str.len_chars())
    n = number.n_unique().over(of)
    sequential = (n > 1) & (number.max().over(of) - number.min().over(of) < 2 * n)
    return parts.filter(sequential).select(
        "token", mark=pl.col("stem") + pl.col("digits").str.replace_all(r"\d", "#"), kind=pl.lit("family")
    )
