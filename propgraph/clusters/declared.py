"""Who says openly that they act together: volunteers, supporters, activists, by their names and by what they post."""

from __future__ import annotations

import re

import polars as pl

from propgraph.clusters.inputs import ClusterInputs
from propgraph.study import Study

#: What people call themselves who campaign in the open, by language; a word may go on (`volunteer` finds `volunteers`).
WHO = {
    "en": ("volunteer", "supporters", "activist", "grassroots", "campaigners", "team"),
    "fr": ("benevole", "volontaires", "militant", "activiste", "sympathisants", "comite de soutien", "collectif"),
    "de": ("aktivist", "freiwillige", "unterstutzer", "ehrenamtliche", "burgerinitiative"),
    "es": ("voluntari", "activista", "militante", "simpatizantes", "colectivo"),
    "it": ("volontari", "attivist", "sostenitori", "militanti", "comitato di"),
    "pt": ("voluntari", "ativista", "apoiadores"),
    "nl": ("vrijwilligers", "activisten", "actiegroep"),
    "pl": ("wolontariusz", "aktywist"),
    "ru": ("волонтер", "активист", "сторонники"),
    "tr": ("gonullu", "aktivist"),
}  # fmt: skip
#: How they call on others to act, by language.
CALLS = {
    "en": ("join us", "twitter storm", "tweet storm", "thunderclap", "day of action", "sign the petition"),
    "fr": ("rejoignez nous", "mobilisons nous", "journee d action", "signez la petition"),
    "de": ("macht mit", "mitmachen", "aktionstag", "twittersturm", "petition unterschreiben"),
    "es": ("unete", "tuitazo", "dia de accion", "firma la peticion"),
    "it": ("unisciti", "tweet bombing", "firma la petizione"),
    "pt": ("junte se", "tuitaco", "assine a peticao"),
    "nl": ("doe mee", "teken de petitie"),
    "pl": ("dolacz do nas", "podpisz petycje"),
    "ru": ("присоединяитесь", "подпишите петицию"),
    "tr": ("bize katil",),
}

_HASHTAG_LETTERS = 6  # run together, shorter forms stand in other words by chance


def with_declared(table: pl.DataFrame, inputs: ClusterInputs, posts: pl.DataFrame, /) -> pl.DataFrame:
    """Add how many members declare that they act together, and by what words.

    A member does whose name holds a form of `WHO`, or one of whose posts over which members met in two holds a form of
    `WHO` or `CALLS` in its text or hashtags.

    Parameters
    ----------
    table
        A row for each `cluster`.
    inputs
        What the figures are made from.
    posts
        `account_id, declared` of these posts, as from `declared_posts`.

    Returns
    -------
    pl.DataFrame
        `table` with `n_declared` (members) and `declared_forms` (the forms of most of them, at most three, as listed
        here).
    """
    by_posts = (
        posts.group_by("account_id")
        .agg(share=pl.col("declared").is_not_null().mean(), form=pl.col("declared").drop_nulls().mode().min())
        .filter(pl.col("share") >= 0.5)
        .select("account_id", "form")
    )
    of_name = folded(pl.col("name")).str.extract(_pattern(_forms(WHO)), 1)
    by_name = inputs.accounts.select("account_id", form=of_name).drop_nulls()
    either = pl.concat([by_name, by_posts]).unique("account_id", keep="first", maintain_order=True)
    said = either.join(inputs.members.select("account_id", "cluster"), on="account_id")
    forms = (
        said.group_by("cluster", "form")
        .len()
        .sort(["cluster", "len", "form"], descending=[False, True, False])
    )
    found = forms.group_by("cluster").agg(
        n_declared=pl.col("len").sum(), declared_forms=pl.col("form").head(3)
    )
    return table.join(found, on="cluster", how="left", maintain_order="left")


def declared_posts(study: Study, inputs: ClusterInputs, /) -> pl.DataFrame:
    """Return `account_id, declared` of each post over which members met: the first form in its text or hashtags."""
    met = inputs.shares.lazy().filter(pl.col("n_fellows") > 0).select("content_id").unique()
    tags = pl.col("hashtags").list.join(" ")
    of_text = folded(pl.col("text")).str.extract(_pattern([*_forms(WHO), *_forms(CALLS)]), 1)
    run_together = {form.replace(" ", ""): form for form in [*_forms(WHO), *_forms(CALLS)]}
    long = [form for form in run_together if len(form) >= _HASHTAG_LETTERS]
    of_tags = folded(tags).str.extract(f"({'|'.join(map(re.escape, long))})", 1).replace(run_together)
    return (
        study.scan("posts")
        .join(met, on="content_id", how="semi")
        .unique("content_id", keep="any")
        .select("account_id", declared=pl.coalesce(of_text, of_tags))
        .collect()
    )


def folded(text: pl.Expr, /) -> pl.Expr:
    """Return text in lower case, without accents, its words parted by one blank each."""
    plain = text.str.normalize("NFKD").str.replace_all(r"\p{M}+", "").str.to_lowercase()
    return plain.str.replace_all(r"[^\p{L}\p{N}]+", " ")


def _forms(words: dict[str, tuple[str, ...]]) -> list[str]:
    """Return all forms, each once, the longest first, for the first that fits is taken."""
    forms = {form for of_language in words.values() for form in of_language}
    return sorted(forms, key=lambda form: (-len(form), form))


def _pattern(forms: list[str]) -> str:
    """Return what finds a form at the beginning of a word."""
    return rf"(?:^| )({'|'.join(map(re.escape, forms))})"
