import unicodedata

import polars as pl
import pytest

from propgraph import build, find_clusters
from propgraph.clusters.declared import CALLS, WHO, _forms, folded

HOUR = 3600


def study_of(folder, *, names, texts=None, tags=None):
    """A crew of four that posts eight links at once, and twelve strangers who post them later."""
    rows = [
        {"account_id": who, "account_name": name, "url": f"https://daily.example.com/{k}",
         "timestamp": HOUR * k + 4 * j, "text": (texts or {}).get(who), "hashtags": (tags or {}).get(who)}
        for k in range(8) for j, (who, name) in enumerate(zip("abcd", names, strict=True))
    ]  # fmt: skip
    rows += [
        {"account_id": f"r{j}", "account_name": "activist", "url": f"https://daily.example.com/{k}",
         "timestamp": HOUR * k + 300 + 200 * ((5 * j + 7 * k) % 13), "text": "join us", "hashtags": None}
        for k in range(8) for j in range(12)
    ]  # fmt: skip
    log = pl.DataFrame(rows, schema_overrides={"text": pl.String, "hashtags": pl.String}).with_columns(
        pl.col("timestamp") + 1_600_000_000, content_id=pl.int_range(pl.len()).cast(pl.String)
    )
    log.write_parquet(folder / "log.parquet")
    study = find_clusters(build([folder / "log.parquet"], folder / "study", overwrite=True).path)
    crew = study.members.filter(account_id="a")["cluster_id"].item()
    assert study.members.filter(cluster_id=crew)["account_id"].to_list() == list("abcd")
    return study.readings.filter(subject_id=crew, reading="activists")


@pytest.mark.parametrize(
    ("names", "texts", "tags", "words"),
    [
        (("Ann", "Bob", "Cat", "Dan"), None, None, None),
        (("Les Bénévoles", "VOLONTAIRES 75", "Cat", "Dan"), None, None, "('benevole', 'volontaires')"),
        (("Activists_of_X", "Bob", "Cat", "Dan"), None, None, None),  # one of four
        # A word has to begin so: no seamstress, no steam.
        (("Steam Engines", "Inactivist", "Cat", "Dan"), None, None, None),
        (("Ann", "Bob", "Cat", "Dan"), {"a": "Join us, today!", "b": "Присоединяйтесь"}, None,
         "('join us', 'присоединяитесь')"),
        (("Ann", "Bob", "Cat", "Dan"), None, {"a": "JoinUs2020", "c": "aktionstag", "d": "team"},
         "('aktionstag', 'join us')"),
        (("Volunteer", "Bob", "Cat", "Dan"), {"b": "join us"}, None, "('join us', 'volunteer')"),
    ],
)  # fmt: skip
def test_activists_are_those_who_say_so(tmp_path, names, texts, tags, words):
    found = study_of(tmp_path, names=names, texts=texts, tags=tags)
    assert found.height == (words is not None)
    if words is not None:
        [fit] = found.to_dicts()
        assert fit["value"] == 0.5
        assert fit["speaks_for"].endswith(words)


def test_forms_are_written_as_texts_are_folded():
    for form in _forms(WHO) + _forms(CALLS):
        assert pl.select(folded(pl.lit(form))).item() == form
        plain = "".join(c for c in unicodedata.normalize("NFKD", form) if not unicodedata.combining(c))
        assert plain.lower() == form
