"""Text of two kinds that every interpreter has: source code to learn from beforehand, and its manual to be asked about.

A task is a piece of contiguous text; an example is a character with the eight before it. Code are .py files of the
standard library, the manual are the longer topics of `pydoc_data`, prose about the language, of which each belongs to
one role.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from novum.arenas.sequence.tasks.stdlib_bytes import StdlibBytes
from novum.core.model.errors import UserError
from novum.core.model.trial import Role

Floats = NDArray[np.float64]
WINDOW = 8
"""Characters before the one that is asked for."""
FIRST, LAST = 32, 126
SYMBOLS = LAST - FIRST + 3
"""Printable characters of ASCII, the end of a line, and one for all others."""
EMBEDDED = 8
"""Numbers that stand for a character."""
LONG = 1000
"""Characters of a topic that is used."""
ROLES = (Role.SEARCH, Role.GATE, Role.FINAL)


def made_up(rng: np.random.Generator, tasks: int, shots: int, questions: int) -> tuple[Floats, Floats]:
    """Pieces of code: inputs [tasks, shots + questions, WINDOW] and labels, numbers of characters."""
    length = WINDOW + shots + questions
    drawn = StdlibBytes(length=length - 1).batch(rng, tasks)
    pieces = np.concatenate([drawn.tokens, drawn.answers[:, -1:]], 1)
    return _examples(_coded(pieces))


def real(rng: np.random.Generator, role: Role, tasks: int, shots: int, questions: int) -> tuple[Floats, Floats]:
    """The same of topics of the manual that belong to a role. Raises UserError."""
    length, topics = WINDOW + shots + questions, _topics(role)
    pieces = []
    for _ in range(tasks):
        text = topics[int(rng.integers(len(topics)))]
        begin = int(rng.integers(max(1, text.size - length + 1)))
        pieces.append(np.resize(text[begin : begin + length], length))
    return _examples(np.stack(pieces))


def data_hashes() -> Mapping[str, str]:
    """SHA-256 of the manual, and of the code."""
    text = "\0".join(f"{name}\0{words}" for name, words in sorted(_manual().items()))
    return {"pydoc_data.topics": hashlib.sha256(text.encode()).hexdigest(), "stdlib": StdlibBytes().digest}


def _examples(pieces: NDArray[np.int64]) -> tuple[Floats, Floats]:
    windows = np.lib.stride_tricks.sliding_window_view(pieces, WINDOW + 1, axis=1)
    return windows[..., :WINDOW].astype(np.float64), windows[..., WINDOW].astype(np.float64)


def _coded(values: NDArray[np.integer]) -> NDArray[np.int64]:
    """Numbers of characters: 0 for the end of a line, 1 for what is not printable."""
    printable = (values >= FIRST) & (values <= LAST)
    found: NDArray[np.int64] = np.where(printable, values - FIRST + 2, np.where(values == 10, 0, 1)).astype(np.int64)
    return found


@cache
def _topics(role: Role) -> tuple[NDArray[np.int64], ...]:
    """The texts of a role, in the order of their names."""
    found = []
    for name, text in sorted(_manual().items()):
        place = hashlib.blake2b(f"novum.adaptation/{name}".encode(), digest_size=8).digest()[0]
        if len(text) >= LONG and ROLES[place % len(ROLES)] is role:
            found.append(_coded(np.array([ord(letter) for letter in text])))
    return tuple(found)


@cache
def _manual() -> Mapping[str, str]:
    try:
        from pydoc_data.topics import topics
    except ImportError as error:
        raise UserError(f"the task 'text' needs pydoc_data of Python's standard library: {error}") from error
    return topics
