"""Text from elsewhere made harmless: no terminal escapes, no invisible characters, no secrets, bounded in length."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping

from novum.text.clean import printable
from novum.text.secret_scan import Secrets

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|$)"  # OSC, DCS, SOS, PM, APC: titles, links, clipboard
    r"|\x1b[@-_]?"
)
_TEMPLATE_TOKEN = re.compile(r"<(?=\|)|(?<=\|)>")


def clean(text: str) -> str:
    """`text` without terminal escapes, control characters and what cannot be seen; line ends are line feeds."""
    return printable(_ESCAPES.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


def without_secrets(text: str, environment: Mapping[str, str] | None = None) -> str:
    """`text` with what looks like a key, and the values of telling environment variables, replaced."""
    return Secrets.of(os.environ if environment is None else environment).clean(text)


def shortened(text: str, limit: int) -> str:
    """At most about `limit` characters of `text`, its end and its beginning, saying how many are left out."""
    if len(text) <= limit:
        return text
    head = max(0, limit * 2 // 3)
    tail = max(0, limit - head)
    return f"{text[:head]} [... {len(text) - head - tail} characters left out ...] {text[len(text) - tail :]}"


def line(text: str, limit: int) -> str:
    """`text` from elsewhere in one clean line of at most about `limit` characters."""
    return shortened(" ".join(clean(text).split()), limit)


def harmless(text: str) -> str:
    """`text` from elsewhere as it may stand in a prompt: clean, and without the tokens of chat templates."""
    return _TEMPLATE_TOKEN.sub(" ", clean(text))


def tag(texts: Iterable[str]) -> str:
    """A delimiter for these texts that none of them contains: nobody can write a text that holds its own digest."""
    whole = hashlib.sha256("\0".join(texts).encode()).hexdigest()
    return f"data-{whole[:16]}"
