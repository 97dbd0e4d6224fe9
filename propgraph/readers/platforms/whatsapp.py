"""WhatsApp: a chat as the phone exports it, `_chat.txt` or `WhatsApp Chat with NAME.txt`, also inside its archive.

The text of a chat is taken apart in `layouts/chats.py`. Messages have no ids, and of forwarded messages and answers
nothing is told: all are originals. An account is called as the phone that wrote the file calls it, by a contact's name
or a number, so that two phones' exports of one chat do not share accounts. Times are that phone's, without a zone.

An iPhone puts U+200E before what WhatsApp itself says in somebody's name: that a picture is left out, that a message
was deleted, that somebody joined.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from propgraph.readers.base import NoPost, NotThisFormatError, Reader, Record, Row, at

_OWN = "\u200e"
_DELETED = re.compile(
    r"(?:this message was deleted(?: by .{1,100})?|you deleted this message(?: as admin)?"
    r"|diese nachricht wurde gelöscht|du hast diese nachricht gelöscht"
    r"|ce message a été supprimé|vous avez supprimé ce message"
    r"|se eliminó este mensaje|eliminaste este mensaje|este mensaje fue eliminado"
    r"|(?:esta )?mensagem (?:foi )?apagada|você apagou esta mensagem"
    r"|questo messaggio è stato eliminato|hai eliminato questo messaggio"
    r"|dit bericht (?:is|werd) verwijderd|(?:u hebt|je hebt) dit bericht verwijderd"
    r"|данное сообщение удалено|вы удалили данное сообщение|bu mesaj silindi|bu mesajı sildiniz)\.?",
    re.IGNORECASE,
)
_LEFT_OUT = re.compile(
    rf"{_OWN}?\b(?:image|video|audio|gif|sticker|document|contact card|video note|bild|dokument|kontaktkarte|videonotiz"
    r"|vidéo|fiche de contact|note vidéo|imagen|documento|tarjeta de contacto|nota de video|imagem|vídeo|áudio"
    r"|figurinha|cartão do contato|immagine|scheda contatto|afbeelding|contactkaart) "
    r"(?:omitted|weggelassen|absente?|omise?|retirée?|omitid[oa]|ocultad[oa]|oculto|omess[oa]|weggelaten)$",
    re.IGNORECASE,
)
# `<Media omitted>`, in any language: two words or more, and no address.
_MEDIA = re.compile(r"<[^<>/\s\d]+(?: [^<>/\s\d]+)+>|null")
# A file in the archive: before its caption on Android, behind it on an iPhone.
_FILE = re.compile(
    rf"^{_OWN}?[^\n/:*?\"<>|]{{1,200}}\.\w{{2,5}} \([^()\n\d]{{3,40}}\)(?:\n|$)"
    rf"|{_OWN}?<[^<>:\n]{{3,30}}: ?[^<>\n]+\.\w{{2,5}}>"
)
_EDITED = re.compile(
    rf"(?:{_OWN}<[^<>:/\n]+>|<(?:this message was edited|diese nachricht wurde bearbeitet|ce message a été modifié"
    r"|se editó este mensaje|mensagem editada|questo messaggio è stato modificato|dit bericht is bewerkt)\.?>)$",
    re.IGNORECASE,
)
# What somebody sent all the same: `POLL:` and its question, `Location: https://...`
_LABEL = re.compile(r"[^\W\d_][\w ]{2,20}\s?:(?=\s|$)")
# The longest of all that stands in a text beside it.
_LONGEST_END = 60
_BLANKS = " \t\r\n\u00a0\u200e\u202f"
_UNSEEN = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def _rows(record: Record) -> Iterator[Row | NoPost]:
    message = at(record, "whatsapp")
    if not isinstance(message, dict) or not isinstance(message.get("message"), str):
        raise NotThisFormatError("no message of a chat")
    if message.get("author") is None:
        yield NoPost("system message")
        return
    said = message["message"].strip(" \t\r\n").replace("\r\n", "\n")
    text = _FILE.sub("", said) if "<" in said or "(" in said else said
    text = _without_end(_without_end(text, _EDITED) if text.endswith(">") else text, _LEFT_OUT)
    bare = text.strip(_BLANKS)
    if _DELETED.fullmatch(bare):
        yield NoPost("deleted message")
    elif text.startswith(_OWN) and bare and not _LABEL.match(bare):
        yield NoPost("system message")
    else:
        yield {
            "account_id": message["author"],
            "timestamp": message.get("date"),
            "kind": "original",
            "target_id": message.get("chat"),
            "text": None if _MEDIA.fullmatch(bare) else _UNSEEN.sub("", bare) or None,
            "platform": "whatsapp",
        }


def _without_end(text: str, end: re.Pattern[str]) -> str:
    found = end.search(text, max(0, len(text) - _LONGEST_END))
    return text[: found.start()] if found else text


READERS: tuple[Reader, ...] = (
    Reader(
        name="whatsapp",
        title="WhatsApp, a chat as the phone exports it (_chat.txt, WhatsApp Chat with NAME.txt, or its .zip)",
        layouts=(("whatsapp.date", "whatsapp.author", "whatsapp.message"),),
        fields={
            "account_id": "the author's name or number as shown",
            "timestamp": "the date at the head of the message (the phone's clock, taken as UTC)",
            "kind": "original",
            "target_id": "the chat's name, of a file or archive called by it: WhatsApp Chat with NAME",
            "text": "the message with the lines that follow it; none where it is a file left out",
            "platform": "whatsapp",
        },
        rows=_rows,
        sample="""[05.03.24, 10:00:00] Ana: They shut the water off https://valley-herald.example/water
[05.03.24, 10:01:00] Ben: Is this true?
My street still has water
""",
        checked="public programs that read such exports, and what their users report of them (heads of messages in "
        "several languages, U+200E, files left out). Such a text has no columns: `whatsapp.date` and the others are "
        "what its lines are taken apart into. Not verified: the words for deleted messages and files left out in each "
        "language; what they miss stays a text, or is a system message where U+200E stands before it",
    ),
)
