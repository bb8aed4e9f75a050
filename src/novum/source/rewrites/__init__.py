"""Known-good rewrites of scientific code: what an experienced colleague tries first, each as a mutation with a name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from novum.source.meaning import is_python
from novum.source.program_text import Mutation, program
from novum.source.rewrites import descent, learners, random_search


@lru_cache(maxsize=64)
def rewrites(text: str, path: str) -> tuple[Mutation, ...]:
    """Every rewrite of the library that applies to a file and stays inside what may be changed."""
    return tuple(found for found in _all(text, path) if found is not None) if is_python(path) else ()


def _all(text: str, path: str) -> Iterator[Mutation | None]:
    source = program(text, path)
    yield from random_search.rewrites(source)
    yield from learners.rewrites(source)
    yield from descent.rewrites(source)
