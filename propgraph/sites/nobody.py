"""Who stands in a register in the place of the one who holds a site, and the words there for nothing.

Papers and societies bear the same words (`Private Eye`, `Privacy International`, `Unknown Worlds`): alone or beside a
word of the trade they are nobody, within another name they are part of it.
"""

from __future__ import annotations

# Words of registers, beside which `private`, `privacy` and `proxy` mean that a name is hidden.
_OF_TRADE = (
    r"registra(?:tion|nts?|r)|whois|domains?(?: ?names?)?|owner|customer|person|individual|contact|identity|services?|"
    r"protect(?:ion|ed|or)?|guard(?:ian)?|shield|hosting|admin(?:istrator)?"
)
_OF_FIRM = r"(?:,? (?:inc|llc|ltd|limited|corp(?:oration)?|gmbh|ehf)\b\.?)"
_HIDES = r"privacy|prox(?:y|ies)|private"
_ALONE = (
    rf"{_HIDES}|redacted|withheld|hidden|undisclosed|unknown|unavailable|anonymous|masked|not (?:available|applicable|"
    r"disclosed|shown)|statutory masking enabled"
)

#: Matches a name that is nobody's, in any case.
NOBODY = (
    rf"(?i)^\W*(?:{_ALONE}){_OF_FIRM}?\W*$"
    rf"|\b(?:{_OF_TRADE})(?: (?:by|is|in))?[ .-]?(?:{_HIDES})\b"
    rf"|\b(?:{_HIDES})[ .-]?(?:by design|(?:{_OF_TRADE})\b)"
    r"|\bfor privacy\b|\bby proxy\b|\b(?:perfect|super|see|my) ?privacy\b|\bprivacy ?(?:hero|dot ?link)\b"
    r"|\bredacted\b.*\b(?:privacy|policy|gdpr|data|eu|registry)\b|\b(?:gdpr|data|eu|name|information)\b.*\bredacted\b"
    r"|\bgdpr\b.*\bmask|whoisguard|\bwhois ?agent|\bwithheld\b|\bnot disclosed\b"
    r"|\b(?:undisclosed|unknown|anonymous|hidden) (?:registrant|owner|person|organi[sz]ation|name)\b"
    r"|\b(?:registrant|owner|name|organi[sz]ation|data|information|details)(?: is| are)? "
    r"(?:undisclosed|unknown|unavailable|hidden)\b"
    r"|\banonymi[sz]ed\b|\b(?:data|identity) protect(?:ed|ion)?\b"
)  # fmt: skip
