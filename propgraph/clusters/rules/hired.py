"""Rules about who was sent: tracking tokens that members alone carry, as recruiters and volunteers' lists give out."""

from __future__ import annotations

from propgraph.clusters.baseline import Baseline, Row
from propgraph.clusters.rules.rule import Finding

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
        told_of_token(token, whose="members"),
    )  # fmt: skip


def told_of_token(token: Row, /, *, whose: str) -> str:
    """Return what is known of a token or family as a sentence.

    Parameters
    ----------
    token
        `mark`, `kind`, `values`, `n_accounts`, `n_inside`, `n_links`, `n_sites`, `purity`, `expected`, `q_value`.
    whose
        What its accounts inside are called.
    """
    what = f"the tracking token {token['mark']}"
    if token["kind"] == "family":
        shown = ", ".join(token["values"][:3])
        what = f"tracking tokens of one family ({shown}{', ...' if len(token['values']) > 3 else ''})"
    return (
        f"{token['n_inside']:,} of the {token['n_accounts']:,} accounts whose links carry {what} are {whose} "
        f"({token['purity']:.1%}; of all accounts with such tokens {token['expected']:.1%} are): {token['n_links']:,} "
        f"links to {token['n_sites']:,} sites, no single site's own (false discovery rate {token['q_value']:.1g}); a "
        "list of links handed to volunteers, or links copied from each other, tokens and all, look the same"
    )
