"""Known-good rewrites of scientific code: what an experienced colleague tries first, each as a mutation with a name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from novum.source.meaning import is_python
from novum.source.program_text import Mutation, program
from novum.source.rewrites import (
    activations,
    batch_sizes,
    descent,
    estimator_settings,
    hand_written,
    initialisation,
    learners,
    optax_programs,
    optimisers,
    random_search,
    rate_schedules,
    residuals,
    training_aids,
)


@lru_cache(maxsize=64)
def rewrites(text: str, path: str) -> tuple[Mutation, ...]:
    """Every rewrite of the library that applies to a file and stays inside what may be changed."""
    return tuple(found for found in _all(text, path) if found is not None) if is_python(path) else ()


def _all(text: str, path: str) -> Iterator[Mutation | None]:
    source = program(text, path)
    yield from random_search.rewrites(source)
    yield from learners.rewrites(source)
    yield from estimator_settings.rewrites(source)
    yield from descent.rewrites(source)
    yield from hand_written.rewrites(source)
    yield from optimisers.rewrites(source)
    yield from rate_schedules.rewrites(source)
    yield from training_aids.rewrites(source)
    yield from initialisation.rewrites(source)
    yield from activations.rewrites(source)
    yield from residuals.rewrites(source)
    yield from batch_sizes.rewrites(source)
    yield from optax_programs.rewrites(source)
