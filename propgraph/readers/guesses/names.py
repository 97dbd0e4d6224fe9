"""What people call the columns of a log, in several languages: it decides between columns whose values fit alike."""

from __future__ import annotations

import re
import unicodedata

_SOUNDS = {
    "account_id": r"account|user|author|auteur|autor|sender|owner|profil|page|channel|chaine|canal|kanal|compte|konto|"
    r"nutzer|usuari|cuenta|utente|utilisat|uzytkown|kullanici|hesap|handle|screenname|^who$|^qui$|^wer$|^chi$|^quien$|"
    r"^from|^kto$|пользоват|автор|аккаунт|кто|користувач|用户|作者|账号|アカウント|المستخدم|الحساب",
    "timestamp": r"time|date|datum|^data|fecha|heure|^hora|zeit|quand|wann|when|cuando|quando|created|posted|publi|"
    r"erstellt|momento?$|tarih|zaman|kiedy|^ts$|czas|врем|дата|когда|час|时间|日期|日時|التاريخ|الوقت",
    "url": r"link|url|lien|enlace|adress|href|collegament|odnosnik|baglanti|article|ссылк|посилан|链接|リンク|رابط",
    "content_id": r"post|message|tweet|content|status|msg|item|beitrag|nachricht|publica|mensaje|messaggi|wpis|gonderi|"
    r"^id$|uid$|сообщен|пост|запис|帖子|消息",
    "text": r"text|message|body|content|caption|descri|beitrag|nachricht|inhalt|contenu|mensaje|testo|tresc|"
    r"metin|текст|сообщен|正文|内容|本文|النص",
    "target_id": r"group|grupp|groupe|grupo|subreddit|chat|forum|групп|群",
    "followers": r"follower|abonn|seguidor|subscrib|подписчик|takipci|粉丝",
}
# Words of columns that sound like these, and tell of somebody or something else.
_OF_OTHERS = r"repl|retweet|reshare|repost|forward|quot|mention|parent|origin|target|(?<!ac)count"
_ELSE = {
    "account_id": rf"{_OF_OTHERS}|follow|friend|verified|created|descri|categor|type|convers|thread|location|url|link|"
    r"image|lang",
    "timestamp": rf"{_OF_OTHERS}|account|author|user|profile|collect|crawl|scrape|retriev|updat|edit|delet|zone|import",
    "url": r"permalink|post_?url|tweet_?url|image|avatar|profile|thumb|picture|media|icon|author|user|channel",
    "content_id": rf"{_OF_OTHERS}|user|author|account|page|index|unnamed|row|line|view|like|interact|total|score|"
    r"shares|comments|reaction|photo|video",
    "text": r"retweet|quot|repl|source|user",
    "followers": r"following|retweet|quot|repl|(?<!follower)(?<!followers)count$",
}


def plain(name: str, /) -> str:
    """Return a column's name in small letters without accents, of a path in JSON its last parts."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[^\w]|_", "", "".join(one for one in letters if not unicodedata.combining(one)))


def sounds_like(canonical: str, name: str, /) -> int:
    """Return 1 where a column's name says that it is this, -1 where it says that it is something else, else 0."""
    own = plain(name)
    if canonical in _ELSE and re.search(_ELSE[canonical], own):
        return -1
    return int(canonical in _SOUNDS and re.search(_SOUNDS[canonical], own) is not None)
