"""Characters that a terminal obeys or nobody sees: taken out of text, or written so that they can be seen."""

from __future__ import annotations

import re

_SEQUENCE = r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
_CONTROL = r"[\x00-\x08\x0b-\x1f\x7f-\x9f]"
_HIDDEN = (
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    r"\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""Zero width, direction overrides, odd line ends, tags, lone surrogates."""

_ANY = re.compile(f"{_SEQUENCE}|{_CONTROL}|{_HIDDEN}")
_OBEYED = re.compile(f"{_SEQUENCE}|{_CONTROL}")
_UNSEEN = re.compile(_HIDDEN)
_EACH = re.compile(f"{_CONTROL}|{_HIDDEN}")


def printable(text: str) -> str:
    """The text without such characters and sequences. Tab and line feed stay."""
    return _ANY.sub("", text)


def for_terminal(text: str) -> str:
    """The text as a terminal may show it: what it would obey is taken out, what nobody would see is written out."""
    return _UNSEEN.sub(_escaped, _OBEYED.sub("", text))


def exact(text: str) -> str:
    r"""The same with nothing taken out, for what people decide on: \x1b, \u202e. Tab and line feed stay."""
    return _EACH.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
