"""Whether what is scored was seen before: compares digests that arenas declare (see ports.DeclaresExamples). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from novum.core.events.campaign import Check

Declared = Mapping[str, Set[str]]

NAME = "leak"
TRAIN, SCORED = "train", "scored"
SAME_TRIAL, REUSED = "scored_and_learned", "gate_and_search"


def leak(search: Sequence[Declared], gate: Sequence[Declared]) -> Check:
    """Examples that a trial both learns from and is scored on, and gate examples that the search has used.

    search, gate: what the trials of each role declare, one mapping a trial. figures: `scored_and_learned`, the share of
    scored examples that occur in the same trial's training, over all trials; `gate_and_search`, the share of the
    different examples scored in the gate that any search trial learned from or was scored on. A question without
    examples has no figure, and then the answer is None unless the other question found something.
    """
    trials = [*search, *gate]
    scored = sum(len(_of(trial, SCORED)) for trial in trials)
    learned = sum(len(_of(trial, SCORED) & _of(trial, TRAIN)) for trial in trials)
    asked = _union(gate, SCORED)
    used = _union(search, TRAIN) | _union(search, SCORED)
    both = len(asked & used)

    figures: dict[str, float] = {}
    words = []
    if scored:
        figures[SAME_TRIAL] = learned / scored
        words.append(f"{learned or 'none'} of {scored} scored examples occur in the training of their own trial")
    if asked and used:
        figures[REUSED] = both / len(asked)
        words.append(f"{both or 'none'} of {len(asked)} examples scored in the gate were already used in the search")
    if any(figures.values()):
        return Check(NAME, False, "; ".join(words), figures)
    if len(figures) == 2:
        return Check(NAME, True, "; ".join(words), figures)
    if not (scored or asked or used):
        return Check(NAME, None, "the arena declares no examples")
    missing = "the arena does not declare what is scored" if not scored else "search and gate could not be compared"
    return Check(NAME, None, "; ".join([*words, missing]), figures)


def _of(trial: Declared, what: str) -> Set[str]:
    return trial.get(what, frozenset())


def _union(trials: Sequence[Declared], what: str) -> Set[str]:
    return frozenset().union(*(_of(trial, what) for trial in trials))
