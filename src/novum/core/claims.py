"""Registered claims as whoever comments on them may see them: what is claimed, and after a verdict what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, overload

from novum.core.hypothesis import Hypothesis, Phase
from novum.core.state import State
from novum.core.view import Claimed

LATEST = 8
"""How many of either kind."""


class Claims(Sequence[Claimed]):
    """Claims that are put together only if somebody looks: every proposal has them, and few do."""

    def __init__(self, build: Callable[[], Sequence[Claimed]]) -> None:
        self._build = build

    @cached_property
    def _known(self) -> Sequence[Claimed]:
        return self._build()

    def __len__(self) -> int:
        return len(self._known)

    @overload
    def __getitem__(self, index: int) -> Claimed: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Claimed]: ...

    def __getitem__(self, index: int | slice) -> Claimed | Sequence[Claimed]:
        return self._known[index]


def judged(state: State) -> tuple[Claimed, ...]:
    """The latest claims whose verdict is reached, and whose gain is measured if there is one."""
    return tuple(_claimed(state, one) for one in state.open_hypotheses(Phase.CLOSED)[-LATEST:])


def registered(state: State) -> tuple[Claimed, ...]:
    """The latest claims of all, without what has come of them."""
    latest = list(islice(reversed(state.hypotheses.values()), LATEST))
    return tuple(_claimed(state, one, ended=False) for one in reversed(latest))


def _claimed(state: State, one: Hypothesis, *, ended: bool = True) -> Claimed:
    claim = one.registered
    return Claimed(
        id=one.id,
        number=claim.number,
        author=claim.author,
        genome=claim.candidate.genome,
        incumbent=state.candidates[claim.incumbent].genome,
        rationale=claim.rationale,
        probability=claim.probability,
        effect=claim.effect,
        delta=claim.delta,
        commented=frozenset(said.author for said in state.vigil.comments.get(one.id, ())),
        **({**_screened(state, one), **_confirmed(one)} if ended else {}),
    )


def _screened(state: State, one: Hypothesis) -> dict[str, Any]:
    tuned, scale = state.tuned.get(one.candidate.id), state.scales.get(one.registered.incumbent)
    return {
        "score": tuned.score if tuned else None,
        "seeds": tuned.seeds if tuned else 0,
        "level": state.level(one.registered.incumbent),
        "sigma": scale.sigma if scale else None,
    }


def _confirmed(one: Hypothesis) -> dict[str, Any]:
    rule, verdict, size = one.rule, one.verdict, one.finding
    if rule is None or verdict is None:
        return {}
    found: dict[str, Any] = {
        "attempt": verdict.attempt,
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "pairs": verdict.pairs,
        "max_pairs": rule.max_pairs,
        "e_value": verdict.e_value,
        "threshold": verdict.threshold,
        "crashes": verdict.crashes,
        "dmin": rule.dmin,
        "beta": rule.beta,
    }
    if size and size.effect is not None:
        found |= {"gain": size.effect, "interval": size.interval, "confidence": size.level, "fresh": size.pairs}
    return found
