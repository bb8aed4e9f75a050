"""A search that gains nothing any more: for a while every second idea is the control's."""

from __future__ import annotations

from collections.abc import Iterator

from novum.core.oversight import Alarm, Intervened, Step
from novum.core.state import State
from novum.governance.alarms.post import Post

MOST_DOUBLINGS = 10


def plateau(state: State, post: Post) -> Iterator[Intervened]:
    """So many hypotheses in a row without a gain; twice as many each time until there is a finding."""
    settings, signs = post.settings, state.signs
    if signs.idle < settings.plateau_window << min(signs.plateaus, MOST_DOUBLINGS):
        return
    words = f"none of the last {signs.idle} hypotheses gained over the incumbent in screening by more than its doubt"
    until = state.proposals + 1 + settings.plateau_proposals
    evidence = {"screened": float(signs.idle), "times": float(signs.plateaus + 1)}
    if post.explores:
        words += f": every second of the next {settings.plateau_proposals} ideas is the control's"
    step = Step.EXPLORE if post.explores else Step.NOTE
    yield Intervened(Alarm.PLATEAU, step, "", words, evidence, until if post.explores else 0)
