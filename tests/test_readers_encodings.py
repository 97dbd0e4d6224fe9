"""Text in other encodings than UTF-8, named or guessed, and damage, which is no encoding."""

from __future__ import annotations

import random
import warnings

import polars as pl
import pytest

from propgraph.errors import InputError, UsageError
from propgraph.readers.files.encodings import wide_encoding
from propgraph.readers.layouts import tabular
from propgraph.readers.read import read_logs

HEAD = "content_id,account_id,timestamp,text\n"
# What people write in each encoding; the texts are invented.
TEXTS = {
    "windows-1252": "L’éducation à Paris, où les élèves protestent; garçon, Noël, forêt brûlée, « très » bien",
    "iso-8859-1": "El niño comió una manzana en España; ¿qué pasó con la elección? Gobernación, José Núñez",
    "cp1252": "Jürgen Müller grüßt die Bürger von Köln; Straßen gesperrt, schöne Grüße aus Österreich",
    "mac-roman": "Jürgen Müller grüßt die Bürger von Köln; Straßen gesperrt, schöne Grüße aus Österreich",
    "windows-1250": "Książka o życiu w Łodzi; zażółć gęślą jaźń. Wałęsa mówił, Świętokrzyskie, źle",
    "windows-1251": "Президент заявил, что выборы прошли честно. Москва, новости сегодня, правда и ложь",
    "koi8-r": "Президент заявил, что выборы прошли честно. Москва, новости сегодня, правда и ложь",
    "windows-1253": "Ο πρόεδρος δήλωσε ότι οι εκλογές ήταν δίκαιες. Αθήνα, νέα σήμερα, αλήθεια",
    "windows-1254": "Türkiye'de seçimler bugün yapıldı; İstanbul ve Ankara'da ışıklar söndü. Şükrü Çağlar",
    "windows-1256": "قال الرئيس إن الانتخابات كانت نزيهة. القاهرة مصر أخبار اليوم",
    "shift-jis": "大統領は選挙が公正だったと述べた。東京 日本 今日のニュース 真実と嘘 カタカナ",
    "gb18030": "总统表示选举是公正的。北京 中国 今日新闻 真相与谎言",
    "utf-16-le": "L’éducation à Paris; Президент; 总统",
    "utf-16-be": "L’éducation à Paris; Президент; 总统",
    "utf-32-le": "L’éducation à Paris; Президент; 总统",
}


def table(text: str, n: int) -> str:
    words = text.replace(",", "").split()
    draw = random.Random(n)
    rows = [" ".join(draw.choices(words, k=8)) for _ in range(n)]
    return HEAD + "".join(f"p{k},{words[k % 3]}{k},{1_600_000_000 + k},{row}\n" for k, row in enumerate(rows))


def read(path, content, **options):
    path.write_bytes(content)
    return read_logs([path], **options)


@pytest.mark.parametrize("encoding", TEXTS)
def test_an_encoding_that_is_named_is_that_of_the_text(tmp_path, encoding):
    text = table(TEXTS[encoding], 5)
    log = read(tmp_path / "log.csv", text.encode(encoding), encoding=encoding)
    assert log.posts["text"].to_list() == [line.split(",")[3] for line in text.splitlines()[1:]]
    assert log.posts["account_id"].to_list() == [line.split(",")[1] for line in text.splitlines()[1:]]
    assert not any("UTF-8" in note for note in log.notes)


@pytest.mark.parametrize("n", [12, 3000])  # within what is looked at first, and beyond
@pytest.mark.parametrize("encoding", TEXTS)
def test_an_encoding_that_is_not_named_is_guessed_and_told(tmp_path, encoding, n):
    text = table(TEXTS[encoding], n)
    log = read(tmp_path / "log.csv", text.encode(encoding))
    assert log.rejected.is_empty()
    assert log.posts["text"].to_list() == [line.split(",")[3] for line in text.splitlines()[1:]]
    assert sum(": not UTF-8; read as " in note for note in log.notes) == 1


@pytest.mark.parametrize("n_before", [2_000, 30_000])
def test_a_first_foreign_character_far_down_is_no_other_case(tmp_path, monkeypatch, n_before):
    monkeypatch.setattr(tabular, "_BLOCK_BYTES", 1 << 16)
    before = "".join(f"q{k},a{k % 9},{1_500_000_000 + k},plain text\n" for k in range(n_before))
    text = HEAD + before + "torn,row\n" + table(TEXTS["cp1252"], 200).removeprefix(HEAD)
    log = read(tmp_path / "log.csv", text.encode("cp1252"))
    assert log.posts["text"].to_list() == [
        line.split(",")[3] for line in text.splitlines()[1:] if not line.startswith("torn")
    ]
    assert log.rejected["line"].to_list() == [n_before + 2]
    assert [note.partition(": ")[2] for note in log.notes] == [
        "not UTF-8; read as windows-1252, which it looks like; where it is another, name it with --encoding "
        "(in Python: encoding=)"
    ]


def test_names_of_columns_in_another_encoding(tmp_path):
    text = "Données,Auteur,Clé\n" + "2024-03-05 10:00:00,ana,p1\n2024-03-05 10:00:01,bo,p2\n"
    names = {"timestamp": "Données", "account_id": "Auteur", "content_id": "Clé"}
    for options in ({}, {"encoding": "windows-1252"}):
        log = read(tmp_path / "log.csv", text.encode("cp1252"), mapping=names, **options)
        assert log.posts.height == 2


def test_json_in_another_encoding(tmp_path):
    words = TEXTS["cp1252"].split()
    lines = "".join(
        '{"content_id": "p%d", "account_id": "%s", "timestamp": 1600000000}\n' % (k, word)  # noqa: UP031
        for k, word in enumerate(words)
    )
    log = read(tmp_path / "log.ndjson", lines.encode("cp1252"))
    assert sorted(log.posts["account_id"].cast(pl.String)) == sorted(words)


GOOD = "".join(f"p{k},user{k},{1_600_000_000 + k},plain text of no interest\n" for k in range(1000))


@pytest.mark.parametrize("seed", range(20))
def test_a_few_torn_bytes_are_damage_and_cost_their_rows(tmp_path, seed):
    draw = random.Random(seed)
    lines = [bytearray(line) for line in (HEAD + GOOD).encode().splitlines(keepends=True)]
    torn = sorted(draw.sample(range(1, 1001), 4))
    for k in torn:
        lines[k][draw.randrange(len(lines[k]) - 1)] = draw.randrange(0x80, 0x100)
    log = read(tmp_path / "log.csv", b"".join(lines))
    assert (log.posts.height, log.rejected["line"].to_list()) == (996, [k + 1 for k in torn])
    assert log.rejected["reason"].unique().str.contains("not UTF-8|fields where").all()


def test_torn_bytes_in_utf8_text_are_damage(tmp_path):
    text = table(TEXTS["cp1252"], 100).encode()
    torn = text.replace("ü".encode(), b"\xfc", 3)
    log = read(tmp_path / "log.csv", torn)
    assert 1 <= log.rejected.height <= 3
    assert log.posts.height + log.rejected.height == 100


def test_all_ones_are_damage(tmp_path):
    text = (HEAD + GOOD).encode().replace(b"user", b"us\xffer", 300)
    log = read(tmp_path / "log.csv", text)
    assert (log.posts.height, log.rejected.height) == (700, 300)


def test_bytes_that_the_named_encoding_has_no_character_for_cost_their_rows(tmp_path):
    text = table(TEXTS["cp1252"], 5).encode("cp1252").replace(b"p3,", b"p\x81\x8d3,")
    log = read(tmp_path / "log.csv", text, encoding="windows-1252")
    assert log.rejected.select("line", "reason").rows() == [(5, "bytes that are not windows-1252")]
    log = read(tmp_path / "log.csv", text + b"p9,a,1600000000,x\n", encoding="ascii")
    assert (log.posts["content_id"].to_list(), log.rejected.height) == (["p9"], 5)
    assert log.rejected["reason"].unique().to_list() == ["bytes that are not ascii"]


def test_utf8_that_is_named_is_not_guessed_otherwise(tmp_path):
    text = table(TEXTS["cp1252"], 50).encode("cp1252") + b"p99,a,1600000000,x\n"
    log = read(tmp_path / "log.csv", text, encoding="utf-8")
    assert log.rejected.height > 40


def test_a_byte_order_mark_overrules(tmp_path):
    text = table(TEXTS["cp1252"], 5)
    log = read(tmp_path / "log.csv", text.encode("utf-8-sig"), encoding="windows-1252")
    assert log.posts["text"].to_list() == [line.split(",")[3] for line in text.splitlines()[1:]]


@pytest.mark.parametrize("name", ["windows1252x", "idna", "base64", "undefined", "no\0ne", ""])
def test_an_encoding_that_is_none_is_bad_usage(tmp_path, name):
    with pytest.raises(UsageError, match=r"^encoding: .* is no encoding of text that Python knows"):
        read(tmp_path / "log.csv", HEAD.encode(), encoding=name)


def test_a_near_name_is_proposed(tmp_path):
    with pytest.raises(UsageError, match="did you mean 'windows-1252'"):
        read(tmp_path / "log.csv", HEAD.encode(), encoding="window-1252")


def test_what_is_no_text_is_no_log(tmp_path):
    with pytest.raises(InputError, match="neither UTF-8 text"):
        read(tmp_path / "log.csv", bytes(range(256)) * 50)


def test_a_guess_that_finds_none_warns_nobody():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (
            wide_encoding("[3/5/24, 10:00:00\u202fAM] Ana Hill: They shut 🌻 the water off\r\n\0".encode())
            is None
        )
