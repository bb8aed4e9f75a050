"""Larger batches with fewer steps and the reverse, at the same number of examples, with a rate that suits."""

from __future__ import annotations

import re
from collections.abc import Iterator

from novum.source.literals import Literal, skeleton
from novum.source.program_text import Mutation, Program

_BATCH = re.compile(r"batch_?-?size|(?:^|[^a-z])(?:batch|bs|n_?batch|minibatch)(?:$|[^a-z])", re.IGNORECASE)
_STEPS = re.compile(
    r"(?:^|[^a-z])(?:(?:max|n|num|total|train)[_-]?)?(?:steps|iters|iterations|updates)(?:$|[^a-z])", re.IGNORECASE
)
_OTHER = re.compile(r"eval|val|test|warm|log|accum|micro|every|interval|print", re.IGNORECASE)


def rewrites(source: Program) -> Iterator[Mutation | None]:
    """Two other batch sizes for a program that states one batch size, and one number of steps or of epochs."""
    if ".step(" not in source.text and "apply_updates" not in source.text and "grad" not in source.text:
        return
    found = [one for one in skeleton(source.text, source.path).literals if _counts(one)]
    batches = [one for one in found if _BATCH.search(one.name)]
    steps = [one for one in found if _STEPS.search(one.name) and not _BATCH.search(one.name)]
    if len(batches) != 1 or len(steps) > 1:
        return
    batch = batches[0]
    size = int(batch.value)
    epochs = "epoch" in source.text.lower() and not steps
    if not steps and not epochs:
        return
    for new, ratio, verb in ((size * 2, 0.5, "doubles"), (size // 2, 2.0, "halves")):
        edits = [batch.edit(new), *(one.edit(max(1, round(int(one.value) * ratio))) for one in steps)]
        if new >= 2:
            note = f"{verb} {batch.name} for the same number of examples"
            yield Mutation("rewrite.batch", source.path, batch.line, tuple(edits), note)


def _counts(literal: Literal) -> bool:
    return type(literal.value) is int and literal.value > 1 and not _OTHER.search(literal.name)
