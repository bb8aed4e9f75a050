"""Registered claims as whoever comments on them may see them: what is claimed, and after a verdict what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, overload

from novum.core.model.study_view import ClaimView
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis, Phase

LATEST = 8
"""How many of either kind."""


class LazyClaims(Sequence[ClaimView]):
    """Claims that are put together only if somebody looks: every proposal has them, and few do."""

    def __init__(self, build: Callable[[], Sequence[ClaimView]]) -> None:
        self._build = build

    @cached_property
    def _known(self) -> Sequence[ClaimView]:
        return self._build()

    def __len__(self) -> int:
        return len(self._known)

    @overload
    def __getitem__(self, index: int) -> ClaimView: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[ClaimView]: ...

    def __getitem__(self, index: int | slice) -> ClaimView | Sequence[ClaimView]:
        return self._known[index]


def judged(state: CampaignState) -> tuple[ClaimView, ...]:
    """The latest claims whose verdict is reached, and whose gain is measured if there is one."""
    return tuple(_claimed(state, one) for one in state.open_hypotheses(Phase.CLOSED)[-LATEST:])


def registered(state: CampaignState) -> tuple[ClaimView, ...]:
    """The latest claims of all, without what has come of them."""
    latest = list(islice(reversed(state.hypotheses.values()), LATEST))
    return tuple(_claimed(state, one, ended=False) for one in reversed(latest))


def _claimed(state: CampaignState, one: Hypothesis, *, ended: bool = True) -> ClaimView:
    claim = one.registered
    return ClaimView(
        id=one.id,
        number=claim.number,
        author=claim.author,
        genome=claim.candidate.genome,
        incumbent=state.candidates[claim.incumbent].genome,
        rationale=claim.rationale,
        probability=claim.probability,
        effect=claim.effect,
        delta=claim.delta,
        commented=frozenset(said.author for said in state.intervention_log.comments.get(one.id, ())),
        **({**_screened(state, one), **_confirmed(one)} if ended else {}),
    )


def _screened(state: CampaignState, one: Hypothesis) -> dict[str, Any]:
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
