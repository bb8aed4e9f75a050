"""Schedules of the learning rate for loops that train in PyTorch: warm-up, then decay.

Cosine: Loshchilov and Hutter, ICLR 2017. Warm-up: Goyal et al., arXiv:1706.02677. Constant, then 1 - sqrt: Hägele et
al., NeurIPS 2024.
"""

from __future__ import annotations

from collections.abc import Iterator

from novum.source.program_text import Mutation, Program
from novum.source.rewrites.library_names import reached
from novum.source.rewrites.loops import fresh
from novum.source.rewrites.training_loops import Progress, above, progress, rate_assignments, training_steps

_WARM = "min(1.0, 0.05 + 19 * {done})"
_LATE = "(1 - max(0.0, 5 * {done} - 4) ** 0.5)"
_DECAYS = (
    ("linearly to zero", "(1 - {done})"),
    ("linearly to a tenth", "(1 - 0.9 * {done})"),
    ("as a cosine to zero", "(0.5 + 0.5 * {cos}({pi} * {done}))"),
    ("as a cosine to a tenth", "(0.55 + 0.45 * {cos}({pi} * {done}))"),
    ("as 1 - sqrt over the last fifth", _LATE),
)


def rewrites(source: Program) -> Iterator[Mutation | None]:
    """Schedules for each step of an optimiser whose rate is constant."""
    if "lr_scheduler" in source.text or rate_assignments(source):
        return
    for step in training_steps(source):
        found = progress(source, step)
        if found is None or not source.alone(found.place):
            continue
        for words, decay in _DECAYS:
            if found.fine or decay != _LATE:  # a few epochs may have none in the last fifth
                yield _scheduled(source, found, f"lets the rate fall {words}", decay)
            if found.fine:
                yield _scheduled(source, found, f"warms up, then lets the rate fall {words}", f"{_WARM} * {decay}")
        if found.fine:
            yield _scheduled(source, found, "warms up", _WARM)
            for peak in (3, 10):  # a rate that falls can begin higher than a constant one
                for words, decay in _DECAYS[:3:2]:
                    note = f"warms up to {peak} times the rate, then lets it fall {words}"
                    yield _scheduled(source, found, note, f"{peak} * {_WARM} * {decay}")


def _scheduled(source: Program, found: Progress, note: str, factor: str) -> Mutation | None:
    """Set the rate of each group to a multiple of its first rate, which the group keeps."""
    cosine = reached(source, found.place, "math.cos") if "{cos}" in factor else ("", ())
    if cosine is None:
        return None
    cos, imports = cosine
    done, group = fresh(source, "done"), fresh(source, "group")
    factor = factor.format(done=done, cos=cos, pi=cos.removesuffix("cos") + "pi")
    lines = (
        f"{done} = {found.fraction}",
        f"for {group} in {found.optimiser}.param_groups:",
        f'    {group}["lr"] = {group}.setdefault("initial_lr", {group}["lr"]) * {factor}',
    )
    insert = above(source, found.place, lines)
    return source.mutation("rewrite.schedule", found.place, note, insert, *found.edits, *imports)
