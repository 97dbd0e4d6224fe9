"""Rules about who was sent: tracking tokens that members alone carry, as recruiters and volunteers' lists give out."""

from __future__ import annotations

from propgraph.clusters.baseline import Baseline, Row
from propgraph.clusters.rules.rule import Finding, about
from propgraph.words.said import Said, said

RECRUITER_TOKEN = "recruiter-token"
#: So much of a token's accounts have to be in one cluster or campaign.
PURITY = 0.9


def recruiter_token(row: Row, base: Baseline) -> Finding | None:
    """Look for a token, or family of tokens, that the cluster's members carry to several sites and hardly others do.

    What is asked of it stands in `campaigns.recruiters`. Where half of the members or more say openly that they act
    together, a token is what their link list or URL builder leaves, and no sign of more.
    """
    token = row.get("recruiter")
    if token is None:
        return None
    declared = (row["n_declared"] or 0) * 2 >= row["n_accounts"]
    return Finding(
        RECRUITER_TOKEN, token["purity"], PURITY, token["expected"], token["purity"] >= PURITY and not declared,
        said_of_token(token, whose=said("rules.members-of-it")),
    )  # fmt: skip


def said_of_token(token: Row, /, *, whose: Said) -> Said:
    """Return what is known of a token or family as a sentence.

    Parameters
    ----------
    token
        `mark`, `kind`, `values`, `n_accounts`, `n_inside`, `n_links`, `n_sites`, `expected`.
    whose
        What its accounts inside are called.
    """
    one = said("rules.a-token", mark=token["mark"])
    family = said("rules.a-family", values=token["values"])
    return said(
        "rules.recruiter-token", n_inside=token["n_inside"], n=token["n_accounts"], whose=whose,
        what=family if token["kind"] == "family" else one, usual=about(token["expected"] * token["n_accounts"]),
        n_links=token["n_links"], n_sites=token["n_sites"],
    )  # fmt: skip
