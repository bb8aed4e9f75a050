"""Who acts: the names that only the lab signs with, and when two names are one and the same person's.

Names are claimed, not proven: whoever may write to a lab's directory may sign as anybody there. What is held here is
that nobody passes for the lab's own, and that no spelling makes two people of one.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable

from novum.text.secret_scan import Secrets

RESEARCHERS = frozenset({"archive", "bayes", "bulk", "code", "evolve", "inbox", "language", "portfolio", "random"})
DISTIL = "distil"
"""How the lab signs for the smaller form of a finding."""

OWN = RESEARCHERS | {DISTIL, "analyst", "comments", "critic", "executor", "gate", "lab", "novum", "watchdog"}
"""The lab's parts; what follows a `:` or a `/` after such a name, a model say, is its own too."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@+:/-]{0,59}")
_WAYS = re.compile(r"^(?:(?:mcp|agent):)+")


def unfit(author: str) -> str:
    """Why somebody outside the lab cannot sign like that, or nothing."""
    if not _NAME.fullmatch(author) or author != " ".join(author.split()):
        return "use up to 60 letters, digits and . _ @ + : / -, with single spaces between them"
    if re.split("[:/]", author.casefold())[0].strip() in OWN:
        return "that is how the lab itself signs, so use another name"
    if Secrets().clean(author) != author:
        return "it looks like a key, which is taken out of the record, so use another name"
    return ""


def signs_as(author: str, names: Iterable[str]) -> bool:
    """Whether an author passes for one of `names`, or for a part of it: what follows a `:` or a `/` after it."""
    sign = author.casefold()
    return any(sign == name or sign.startswith((f"{name}:", f"{name}/")) for name in map(str.casefold, names) if name)


def person(author: str) -> str:
    """Who that is, however it is spelled, and whichever way it came."""
    return _WAYS.sub("", author.casefold())


def fits(author: str, pattern: str) -> bool:
    """Whether a rule or a budget for `pattern`, which may hold * and ?, is about an author, however that is spelled."""
    return fnmatch.fnmatchcase(author.casefold(), pattern.casefold())
