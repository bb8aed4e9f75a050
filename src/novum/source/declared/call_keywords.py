"""Literals that a script gives by name when it makes an object: `Adam(model.parameters(), lr=1e-3)`, `SVC(C=1.0)`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from novum.source.declared.declaration import Declared
from novum.source.declared.python_source import PythonSource
from novum.source.program_text import terminal

_OTHERS = re.compile(
    r"Argument\w*|Option|Field|Choice|\w*Range|\w*Error|\w*Exception|Namespace|TypeVar|Path|Console|Table"
)
_SEED = re.compile(r"seed|random_state", re.IGNORECASE)
"""A seed is given to many calls at once, so it is no setting of one of them."""


def call_keywords(source: PythonSource) -> Iterator[Declared | None]:
    """The numbers and names that classes are called with; they have a capital letter by convention.

    Switches are left out: most of them say how a layer is built into the rest, not what might as well be otherwise.
    """
    for call in source.calls():
        made = terminal(call.func)
        if made.lstrip("_")[:1].isupper() and not _OTHERS.fullmatch(made):
            for one in call.keywords:
                if one.arg and not _SEED.search(one.arg):
                    found = source.declare(one.value, f"{made}({one.arg})", one.arg, "key")
                    yield None if found and isinstance(found.value, bool) else found
