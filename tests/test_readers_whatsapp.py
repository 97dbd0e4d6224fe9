"""WhatsApp: what becomes of a chat's lines, and that no other text is taken for a chat."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime

import pytest
from same_tables import PLACES

from propgraph.errors import InputError
from propgraph.readers.layouts.chats import chat_name, is_chat
from propgraph.readers.read import read_log, read_logs

OWN = "\u200e"
ANDROID = "05/03/2024, 10:00 - "
IPHONE = "[25.03.24, 10:00:00] "


def read(tmp_path, *lines, name="_chat.txt", end="\n"):
    file = tmp_path / name
    file.write_bytes("".join(line + end for line in lines).encode())
    return read_logs([file])


def said(tmp_path, *lines, **kwargs):
    """Return the author and the text of each message."""
    posts = read(tmp_path, *lines, **kwargs).posts
    text = posts["text"].to_list() if "text" in posts.columns else [None] * posts.height
    return list(zip(posts["account_id"].to_list(), text, strict=True))


def reasons(log):
    return list(zip(log.rejected["line"].to_list(), log.rejected["reason"].to_list(), strict=True))


# The heads of messages


@pytest.mark.parametrize(
    "head",
    [
        "[25.03.24, 14:05:00] ",
        "[25/03/2024, 14:05:00] ",
        "[25/03/24 14:05:00] ",
        "[3/25/24, 2:05:00\u202fPM] ",
        "[3/25/24, 2:05:00 PM] ",
        f"{OWN}[3/25/24, 2:05:00\u202fPM] ",
        "[25.3.2024 klo 14.05.00] ",
        "[25.03.2024 kl. 14.05.00] ",
        "[2024-03-25, 2:05:00 p.m.] ",
        "[2024/3/25 下午2:05:00] ",
        "[25\u200f/3\u200f/2024, 14:05:00] ",
        "[٢٥/٣/٢٠٢٤, ١٤:٠٥:٠٠] ",
        "25/03/2024, 14:05 - ",
        "25.03.24, 14:05 - ",
        "3/25/24, 2:05\u202fPM - ",
        "25/03/2024, 2:05 pm - ",
        "25/3/2024 2:05 p. m. - ",
        "25/03/2024 à 14:05 - ",
        "2024-03-25 14:05 - ",
        "25-03-2024 14:05 - ",
        "25. 3. 2024. 14:05 - ",
        "25.03.24 г., 14:05 - ",
        "25/03/2024, 14:05 – ",
    ],
)
def test_every_head_is_read(tmp_path, head):
    posts = read(tmp_path, head + "Ana: Look: a cat", head + "Ben: Where?").posts
    assert posts["account_id"].to_list() == ["Ana", "Ben"]
    assert posts["text"].to_list() == ["Look: a cat", "Where?"]
    assert posts["timestamp"].to_list() == [datetime(2024, 3, 25, 14, 5, tzinfo=UTC)] * 2


def test_noon_and_midnight_of_a_twelve_hour_clock(tmp_path):
    posts = read(
        tmp_path, "[3/25/24, 12:05:00\u202fAM] Ana: Night", "[3/25/24, 12:05:00\u202fPM] Ana: Noon"
    ).posts
    assert posts["timestamp"].dt.hour().to_list() == [0, 12]


def test_all_rows_say_which_number_is_the_day(tmp_path):
    day_first = ["05/03/2024, 10:00 - Ana: a", "06/03/2024, 10:00 - Ana: b", "13/03/2024, 10:00 - Ana: c"]
    month_first = ["3/5/24, 10:00 - Ana: a", "3/6/24, 10:00 - Ana: b", "3/13/24, 10:00 - Ana: c"]
    days = [datetime(2024, 3, day, 10, tzinfo=UTC) for day in (5, 6, 13)]
    assert read(tmp_path, *day_first).posts["timestamp"].to_list() == days
    assert read(tmp_path, *month_first).posts["timestamp"].to_list() == days


def test_where_the_rows_cannot_say_it_is_told_and_the_user_may(tmp_path):
    log = read(tmp_path, "05/03/2024, 10:00 - Ana: a")
    assert any("--time-format" in note for note in log.notes)
    posts = read_log(tmp_path / "_chat.txt", time_format="%d/%m/%Y, %H:%M")
    assert posts["timestamp"].to_list() == [datetime(2024, 3, 5, 10, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("shown", "author"),
    [
        ("+49 171 5550123", "+49 171 5550123"),
        ("\u202a+49\u00a0171\u00a05550123\u202c", "+49 171 5550123"),
        ("~\u202fDora 🌻", "~ Dora 🌻"),
        ('Dwayne "The Rock" Hill', 'Dwayne "The Rock" Hill'),
        ("O'Brien - the plumber", "O'Brien - the plumber"),
        ("Ana ", "Ana"),
    ],
)
def test_an_author_is_called_as_shown_without_invisible_marks(tmp_path, shown, author):
    assert said(tmp_path, f"{IPHONE}{shown}: Look") == [(author, "Look")]


def test_an_iphone_may_write_no_blank_after_the_author(tmp_path):
    assert said(tmp_path, "[2026/7/9 02:28:09] Ana: Hey", "[2026/7/9 02:28:37] Ben:Hi") == [
        ("Ana", "Hey"),
        ("Ben", "Hi"),
    ]


# What a message says


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_without_a_head_go_on_with_the_message_above(tmp_path, end):
    lines = [ANDROID + "Ana: One", "", "two: three", "05/03/2024 was a Tuesday", ANDROID + "Ben: Four"]
    assert said(tmp_path, *lines, end=end) == [
        ("Ana", "One\n\ntwo: three\n05/03/2024 was a Tuesday"),
        ("Ben", "Four"),
    ]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("<Media omitted>", None),
        ("<Medien ausgeschlossen>", None),
        ("<Без медиафайлов>", None),
        (f"{OWN}image omitted", None),
        ("image omitted", None),
        (f"{OWN}Bild weggelassen", None),
        (f"{OWN}vidéo absente", None),
        ("null", None),
        ("", None),
        ("IMG-20240305-WA0001.jpg (file attached)", None),
        ("IMG-20240305-WA0001.jpg (file attached)\nMy street", "My street"),
        (f"{OWN}PTT-20240305-WA0001.opus (Datei angehängt)", None),
        (f"{OWN}<attached: 00000012-PHOTO-2024-03-05-10-00-00.jpg>", None),
        (f"My street {OWN}<attached: 00000012-PHOTO-2024-03-05-10-00-00.jpg>", "My street"),
        (f"My street {OWN}image omitted", "My street"),
        ("Look <This message was edited>", "Look"),
        (f"Look {OWN}<Diese Nachricht wurde bearbeitet.>", "Look"),
        (f"{OWN}POLL:\nTap or well?\n{OWN}OPTION: Tap (2 votes)", "POLL:\nTap or well?\nOPTION: Tap (2 votes)"),
        (f"{OWN}Location: https://maps.example/?q=1,2", "Location: https://maps.example/?q=1,2"),
        ("my evidence was omitted", "my evidence was omitted"),
        ("<b>", "<b>"),
        ("see <https://valley-herald.example/water>", "see <https://valley-herald.example/water>"),
        ("a <- b (file 1)", "a <- b (file 1)"),
    ],
)  # fmt: skip
def test_files_left_out_are_posts_without_a_text(tmp_path, message, text):
    log = read(tmp_path, IPHONE + "Ana: " + message)
    assert log.rejected.is_empty()
    assert said(tmp_path, IPHONE + "Ana: " + message) == [("Ana", text)]


def test_links_and_hashtags_of_the_text_become_shares(tmp_path):
    from propgraph.jobs.build import build

    read(tmp_path, ANDROID + "Ana: Look #water", "https://valley-herald.example/water")
    shares = build([tmp_path / "_chat.txt"], tmp_path / "study").shares
    assert {(row["trace"], row["object_id"]) for row in shares.to_dicts()} >= {
        ("url", "https://valley-herald.example/water"),
        ("hashtag", "water"),
    }


# What is no post


@pytest.mark.parametrize(
    "line",
    [
        "Messages and calls are end-to-end encrypted. No one outside of this chat, not even WhatsApp, can read them.",
        "Ana added Ben",
        "Ana created group “Valley talk”",
        "+49 171 5550123 joined using this group's invite link",
        'Ana changed the subject from "Valley" to "Valley: water"',
        "Ana changed the subject from “Valley” to “Valley: water”",
        "Ana hat den Betreff von „Tal“ zu „Tal: Wasser“ geändert",
        "See https://whatsapp.example",
        f"Valley talk: {OWN}Messages and calls are end-to-end encrypted.",
        f"Ana: {OWN}Ana added Ben",
        f"Ana: {OWN}Missed voice call",
    ],
)
@pytest.mark.parametrize("head", [ANDROID, IPHONE])
def test_what_whatsapp_says_itself_is_no_post(tmp_path, head, line):
    log = read(tmp_path, head + line, head + "Ana: Look")
    assert (log.posts.height, log.n_rows) == (1, 2)
    assert reasons(log) == [(1, "no post: system message")]


@pytest.mark.parametrize(
    "text",
    [
        "This message was deleted",
        "You deleted this message",
        f"{OWN}This message was deleted.",
        f"{OWN}This message was deleted by admin Ben.",
        "Diese Nachricht wurde gelöscht.",
        "Ce message a été supprimé",
        "Se eliminó este mensaje.",
        "Mensagem apagada",
        "Questo messaggio è stato eliminato",
        "Dit bericht is verwijderd",
    ],
)
def test_a_deleted_message_is_no_post(tmp_path, text):
    log = read(tmp_path, IPHONE + "Ana: " + text, IPHONE + "Ben: Look")
    assert reasons(log) == [(1, "no post: deleted message")]
    assert log.posts["account_id"].to_list() == ["Ben"]


def test_lines_before_the_first_message_are_in_none(tmp_path):
    log = read(tmp_path, "and so it went on", "", "to the end", ANDROID + "Ana: a", *[ANDROID + "Ben: b"] * 3)
    reason = "in no message: nothing before it has a date and an author"
    assert reasons(log) == [(1, reason), (3, reason)]
    assert log.rejected["raw"].to_list() == ["and so it went on", "to the end"]
    assert log.n_rows == 6


def test_a_message_without_an_end_is_cut_and_the_rest_of_its_lines_told(tmp_path):
    log = read(tmp_path, ANDROID + "Ana: a", "x" * 600_000, "y" * 600_000, "z", ANDROID + "Ben: b")
    assert reasons(log) == [(3, "in no message: the one above has 1,048,576 characters already")]
    assert log.posts["text"].str.len_chars().sort().to_list() == [1, 600_004]


def test_bytes_of_another_encoding_cost_their_message(tmp_path):
    file = tmp_path / "_chat.txt"
    good = "".join(f"{IPHONE}Ana: {k} größer\n" for k in range(3000)).encode()
    file.write_bytes(good + IPHONE.encode() + b"Ben: gr\xf6\xdfer\n")
    log = read_logs([file])
    assert log.posts.height == 3000
    assert reasons(log) == [(3001, "bytes that are not UTF-8")]


def test_a_chat_in_utf_16_is_read(tmp_path):
    (tmp_path / "_chat.txt").write_text(IPHONE + "Ana: größer\n", encoding="utf-16")
    assert read_logs([tmp_path / "_chat.txt"]).posts["text"].to_list() == ["größer"]


def test_a_date_that_no_calendar_has_is_rejected(tmp_path):
    log = read(tmp_path, "[25.03.24, 10:00:00] Ana: a", "[31.02.24, 10:00:00] Ana: b")
    assert log.posts.height == 1
    assert reasons(log) == [(2, "timestamp: 31.02.24, 10:00:00 is not a time of this file's kind")]


# The chat


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("WhatsApp Chat with Valley talk.txt", "Valley talk"),
        ("WhatsApp Chat with St. Mary (2).txt.gz", "St. Mary"),
        ("a/WhatsApp-Chat mit Talgespräche.txt", "Talgespräche"),
        ("Discussion WhatsApp avec Vallée.txt", "Vallée"),
        ("Chat de WhatsApp con Valle.txt", "Valle"),
        ("Conversa do WhatsApp com Vale.txt", "Vale"),
        ("Chat WhatsApp con Valle.txt", "Valle"),
        ("WhatsApp Chat - Valley talk.zip/_chat.txt", "Valley talk"),
        ("logs/_chat.txt", None),
        ("WhatsApp.txt", None),
        ("Chat with Ana.txt", None),
    ],
)
def test_a_chat_is_called_as_its_file_is(file, name):
    assert chat_name(file) == name


def test_the_chat_is_the_target(tmp_path):
    log = read(tmp_path, ANDROID + "Ana: Look", name="WhatsApp Chat with Valley talk.txt")
    assert log.posts["target_id"].to_list() == ["Valley talk"]
    assert "target_id" not in read(tmp_path, ANDROID + "Ana: Look").posts.columns


def test_a_phones_archive_is_read_and_its_pictures_left_out(tmp_path):
    path = tmp_path / "WhatsApp Chat - Valley talk.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("_chat.txt", IPHONE + "Ana: Look\r\n")
        archive.writestr("00000012-PHOTO.jpg", b"\xff\xd8")
    log = read_logs([path])
    assert log.posts.select("account_id", "target_id", "text").rows() == [("Ana", "Valley talk", "Look")]


def test_a_folder_of_chats_is_read_whole_in_parts_and_packed_with_the_same_ids(tmp_path):
    lines = [f"{IPHONE}Ana: {k}" for k in range(4)]
    whole = read(tmp_path, *lines, name="whole.txt").posts
    parts = tmp_path / "parts"
    parts.mkdir()
    read(parts, *lines[:2], name="a.txt")
    read(parts, *lines[2:], name="b.txt")
    assert read_logs([parts]).posts.drop(PLACES).equals(whole.drop(PLACES))


# What is no chat


@pytest.mark.parametrize(
    "text",
    [
        "account_id,timestamp,url\nana,2024-03-05 10:00,https://valley-herald.example\n",
        f'account_id,timestamp,text\nana,2024-03-05 10:00,"They wrote:\n{(IPHONE + "Ben: Hi" + chr(10)) * 50}"\n',
        "2024-03-05 10:00,ana,look: here\n" * 3,
        '[{"date": "05.03.24"}]\n',
        '[\n"[05.03.24, 10:00:00] Ana: hi"\n]\n',
        "[2024-03-05 10:00:00] production.ERROR: it broke\n" * 3,
        '[2024-03-05 10:00:00] {"level": "x"}\n' * 3,
        "2024-03-05 10:00:00 - INFO: started\n",
        "[05/03/2024 10:00] ana#1234\nLook\n\n[05/03/2024 10:01] ben#1234\nWhere?\n",
        "05/03/2024, 10:00 - Ana added Ben\n",
        "10:00 - Ana: Look\n",
        "Dear all,\nwe meet on 05/03/2024, 10:00 - Ana: bring cake\n",
        "",
    ],
)
def test_other_texts_are_no_chats(text):
    assert not is_chat(text.encode())


def test_a_table_that_quotes_a_chat_is_a_table(tmp_path):
    file = tmp_path / "log.csv"
    file.write_text(f'account_id,timestamp,text\nana,2024-03-05 10:00,"They wrote:\n{IPHONE}Ben: Hi\n"\n')
    log = read_logs([file])
    assert (log.sources[0]["reader"], log.posts.height) == ("columns", 1)


def test_json_with_the_keys_of_a_message_is_no_chat(tmp_path):
    file = tmp_path / "log.ndjson"
    file.write_text('{"date": "2024-03-05", "author": "Ana", "message": "Look", "chat": "Valley"}\n')
    with pytest.raises(InputError, match="no known format has these columns"):
        read_logs([file])


def test_a_chat_is_no_table(tmp_path):
    (tmp_path / "_chat.txt").write_text(IPHONE + "Ana: Look\n")
    with pytest.raises(InputError, match="the format twarc-csv reads tables, and this is none"):
        read_logs([tmp_path / "_chat.txt"], format="twarc-csv")


@pytest.mark.parametrize("filling", [" ", "<", ": ", "\u200e", "<a: b.", "-", "1/1/", '"'])
def test_no_message_takes_long(tmp_path, filling):
    text = ("a" + filling * (1_000_000 // len(filling)))[:1_000_000]
    log = read(
        tmp_path,
        ANDROID + "Ana: Look" + text + "b",
        IPHONE + text,
        IPHONE + "Ben:" + text,
        IPHONE + "Eva: Hi",
    )
    assert log.n_rows == 4
