from __future__ import annotations

import polars as pl
import pytest

from propgraph.sites.imitation import imitations, is_generic, skeleton


def table(**accounts):
    rows = [(site.replace("__", "-").replace("_", "."), n, 2) for site, n in accounts.items()]
    return pl.DataFrame(
        rows, schema={"site": pl.String, "n_accounts": pl.UInt32, "n_urls": pl.UInt32}, orient="row"
    )


def found(rows, known=()):
    return {row["site"]: (row["imitates"], row["imitates_how"]) for row in imitations(rows, known).to_dicts()}


def of(site, known):
    """How one site of few accounts looks like a known one."""
    rows = pl.DataFrame({"site": [site], "n_accounts": [5], "n_urls": [2]})
    return imitations(rows, known)["imitates_how"].to_list()


@pytest.mark.parametrize(
    ("site", "model", "how"),
    [
        ("abcnews.com.co", "abcnews.com", "other suffix"),
        ("cnn.com.de", "cnn.com", "other suffix"),
        ("washingtonpots.com", "washingtonpost.com", "edit distance"),  # two letters swapped are one step
        ("washingtompast.com", "washingtonpost.com", "edit distance"),
        ("spiegl.de", "spiegel.de", "edit distance"),
        ("rnetro.fr", "metro.fr", "look-alike letters"),
        ("g00gle.com", "google.com", "look-alike letters"),
        ("xn--80ak6aa92e.com", "apple.com", "look-alike letters"),  # Cyrillic letters: аррӏе
        ("xn--spigel-dva.de", "spiegel.de", "look-alike letters"),  # spiégel
        ("cnn-globalnews.com", "cnn.com", "brand in the name"),
        ("cnnnews.com", "cnn.com", "brand in the name"),
        ("realbreitbart.com", "breitbart.com", "brand in the name"),
    ],
)
def test_ways_to_imitate(site, model, how):
    assert of(site, [model]) == [how]


@pytest.mark.parametrize(
    ("site", "model"),
    [
        ("cnn.com", "cnn.com"),  # itself
        ("concannon.com", "cnn.com"),  # three letters stand in other words
        ("cbnews.com", "cbn.com"),  # `ews` is no newspaper's word
        ("spiogol.de", "spiegel.de"),  # two letters off in a name of seven
        ("mail.com", "bild.de"),
        ("bald.de", "bild.de"),  # four letters
        ("channel23news.com", "channel45news.com"),  # one template
        ("channel2news.com", "channel245news.com"),
        ("portal-48.com", "portal-4.com"),
        ("dailyherald.com", "herald.com"),  # `herald` is nobody's brand
        ("independentexpress.co", "independent.co.uk"),
        ("washingtonpostale.it", "metro.fr"),
        ("192.168.0.1", "192.168.0.2"),
        ("localhost", "localhosts"),
        ("xn--a.com", "apple.com"),  # broken punycode
        ("xn--.com", "apple.com"),
    ],
)
def test_names_that_imitate_nobody(site, model):
    assert of(site, [model]) == []


def test_well_known_sites_of_the_log():
    rows = table(
        breitbart_com=5000, breitbart_com_co=40, thebreitbart_info=600, dailykos_com=99, dailyk0s_com=3
    )
    # 600 is not ten times less than 5,000; a site of 99 accounts is not well-known.
    assert found(rows) == {"breitbart.com.co": ("breitbart.com", "other suffix")}
    assert found(rows, ["dailykos.com"])["dailyk0s.com"] == ("dailykos.com", "look-alike letters")
    # A listed site imitates nobody, whoever shares it more.
    assert found(rows, ["breitbart.com.co"]) == {
        "breitbart.com": ("breitbart.com.co", "other suffix"),
        "thebreitbart.info": ("breitbart.com.co", "brand in the name"),
    }


def test_the_closest_model_is_named_whatever_the_order():
    known = ["cnnglobal.com", "cnn.com", "cnm.com"]
    for order in (known, known[::-1]):
        rows = pl.DataFrame({"site": ["cnnglobal.net"], "n_accounts": [5], "n_urls": [2]})
        assert found(rows, order) == {"cnnglobal.net": ("cnnglobal.com", "other suffix")}


def test_a_site_of_one_url_and_an_empty_table():
    rows = pl.DataFrame({"site": ["abcnews.com.co"], "n_accounts": [5], "n_urls": [1]})
    assert imitations(rows, ["abcnews.com"]).is_empty()
    assert imitations(rows.clear(), ["abcnews.com"]).is_empty()
    assert imitations(rows.clear(), []).is_empty()


@pytest.mark.parametrize("site", ["xn--abcdefgh-kl91b.com", "xn--99999999999.com", "xn--.com"])
def test_broken_punycode_breaks_nothing(site):
    # The first is written as `abcdefgh` and U+D800, half of a surrogate pair: links in a log may say anything.
    assert of(site, ["spiegel.de"]) == []


def test_skeleton_and_generic_names():
    assert skeleton("рaypaӏ") == skeleton("paypa1") == skeleton("paypai") == skeleton("paypal")
    assert skeleton("m") == skeleton("rn")
    assert is_generic("dailynews")
    assert is_generic("news-24")
    assert is_generic("")
    assert not is_generic("dailykos")
    assert not is_generic("x" * 10_000)
