"""Secrets by their place: behind a name such as API_KEY or password, in a header, or in front of a host.

A program's code must come through as it is, since candidates are recorded as they were tried. So a value counts only
where its name is that of a secret and where it looks like none of what code puts there: names, calls, numbers, paths.
"""

from __future__ import annotations

import re

_NAME = r"(?:api[_-]?key|[_-]key|secret[_-]?key|secret|(?:access|auth)token|[_-]token|passw(?:or)?d)"
_HINTS = ("key", "token", "secret", "passw")
_LONGEST_NAME = 80

_QUOTED = re.compile(rf"(?i)({_NAME})(\\?[\"']?\s*[:=]\s*\\?)([\"'])((?:[^\"'\s\\]|\\(?![\"'])){{8,}})(?=\\?\3)")
_BARE = re.compile(
    rf"(?i)({_NAME})(\s*[:=]\s*)(?!=)((?>[A-Za-z0-9+/_.~-]{{8,}}=*))"
    r"(?![\w(\[{\"'])(?!\s+(?:[-+*/%|<>=!]|(?:if|or|else)\b))"
)
_BEFORE = re.compile(r"[A-Za-z0-9_.-]*\Z")

_HEADER = re.compile(
    r"(?i)(\b(?:proxy-)?authorization\\?[\"']?\s*[:=]\s*\\?[\"']?(?:basic|bearer|token|apikey)\s+)"
    r"[A-Za-z0-9._~+/-]{8,}=*"
)
_LOGIN = re.compile(r"://([^/\s:@]+:[^/\s@]+|[A-Za-z0-9_.-]{12,})(?=@)")

_FIRM = re.compile(
    r"(?i)(?:.*[_.-])?(?:api[_-]?key|(?:secret|access|account|private|signing|encryption)[_-]?key"
    r"|(?:access|auth|refresh|bearer|session|bot|api)[_-]?token|secret)|(?i:.*passw(?:or)?d)"
)
"""Names that are hardly ever given to anything but a secret."""
_FIRMEST = re.compile(r"(?i)(?:[a-z0-9]+_)*(?:api_?key|secret_?key|access_?token|auth_?token|password|passwd)")
"""Of these, the names behind which even plain words in quotation marks are taken for a secret."""

_WORD = r"(?:[A-Z]?[a-z]{2,}+|[A-Z]{2,}+)\d{0,3}+"
_CODE = re.compile(rf"[_./~-]*+(?:(?:(?:{_WORD})++|[A-Za-z]\d{{0,3}}+|\d{{1,4}})(?:[_./-]++|\Z))++")
"""What people call things: words, with at most a small number behind each."""
_FIGURE = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F_]+|[\d_]*\.?[\d_]+(?:[eE][+-]?\d+)?[jJ]?)")
_PLACE = re.compile(r"(?:~|\.{1,2}|/[A-Za-z._-]+)/")
_BLANK = re.compile(
    r"(?i)(?:your|change[_-]?me|replace[_-]?me|placeholder|dummy[_-]|fake[_-]|example[_-])|[<$%]|\[|x{4,}\Z|[*.]{3,}"
)
"""What stands where a secret is to be put in."""
_ONE_PIECE = re.compile(r"[A-Za-z0-9+/_=.-]+")
_OWN_WORDS = re.compile(r"(?i)key|token|secret|pass|pwd")


def cleaned(text: str, instead: str) -> str:
    """`text` with the secrets in such places replaced."""
    if "://" in text and "@" in text:
        text = _LOGIN.sub(lambda found: f"://{instead}" if _is_login(found[1]) else found[0], text)
    lower = text.lower()
    if "authorization" in lower:
        text = _HEADER.sub(rf"\g<1>{instead}", text)
    if any(hint in lower for hint in _HINTS):
        text = _QUOTED.sub(lambda found: _quoted(found, instead), text)
        text = _BARE.sub(lambda found: _bare(found, instead), text)
    return text


def _quoted(found: re.Match[str], instead: str) -> str:
    said, between, mark, value = found.groups()
    secret = _holds(_name(found), value)
    return f"{said}{between}{mark}{instead}" if secret else found[0]


def _bare(found: re.Match[str], instead: str) -> str:
    said, between, value = found.groups()
    after = found.string[found.end() : found.end() + 1]
    secret = _stands_alone(_name(found), between, value, after)
    return f"{said}{between}{instead}" if secret else found[0]


def _name(found: re.Match[str]) -> str:
    """The whole name that ends in what was found."""
    before = _BEFORE.search(found.string[max(0, found.start() - _LONGEST_NAME) : found.start()])
    return (before[0] if before else "") + found[1]


def _holds(name: str, value: str) -> bool:
    """Whether a value in quotation marks is a secret, going by the name before it."""
    if _is_blank(value) or name.lower().replace("-", "_").endswith("public_key"):
        return False
    if _FIRMEST.fullmatch(name.rpartition(".")[2].rpartition("-")[2]):
        return True
    if not _mixed(value) or _CODE.fullmatch(value) or _PLACE.match(value):
        return False
    if _FIRM.fullmatch(name):
        return True
    if not _ONE_PIECE.fullmatch(value):
        return False
    return len(value) >= 12 if name.isupper() else len(value) >= 20 and sum(map(str.isdigit, value)) >= 4


def _stands_alone(name: str, between: str, value: str, after: str) -> bool:
    """Whether a value without quotation marks is a secret, and not a part of a program."""
    firm = _FIRM.fullmatch(name) is not None
    if not firm and (not name.isupper() or between.strip() != between or len(value) < 12):
        return False
    if not _mixed(value) or _FIGURE.fullmatch(value) or _is_blank(value) or _PLACE.match(value):
        return False
    if not _CODE.fullmatch(value):
        return True
    # As in password=swordfish99, where a program would have spaces, a comma or a name that says what it is.
    return between == "=" and after not in (",", ")") and _said(name) and not _OWN_WORDS.search(value)


def _said(name: str) -> bool:
    return name.lower().endswith(("password", "passwd"))


def _is_blank(value: str) -> bool:
    """Whether it is a place to be filled, by a person or by a format string."""
    return _BLANK.match(value) is not None or ("{" in value and "}" in value)


def _mixed(value: str) -> bool:
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value))


def _is_login(value: str) -> bool:
    """Whether what stands between :// and @ is a name with its password, or a token."""
    if ":" in value:
        return not (value[0] in "<$%" or "%s" in value or ("{" in value and "}" in value))
    return _mixed(value) and not _CODE.fullmatch(value)
