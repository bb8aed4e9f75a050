"""What findings were promised to be asked and have not been asked yet."""

from __future__ import annotations

from collections.abc import Iterator

from novum.core.events.promises import Question
from novum.core.model.trial_plan import Aim
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis


def open_questions(state: CampaignState) -> Iterator[tuple[Hypothesis, Question]]:
    """What is still to be asked, in order: aim by aim, the oldest finding first. Nothing more of what was retracted."""
    for aim in state.study.follow_up.aims if state.findings else ():
        for hypothesis in state.findings:
            if hypothesis.promised and not hypothesis.retracted:
                yield from ((hypothesis, one) for one in unasked(state, hypothesis) if one.aim is aim)


def unasked(state: CampaignState, hypothesis: Hypothesis) -> Iterator[Question]:
    """What one finding was promised to be asked, and can be, and was not yet."""
    asked = {(one.opened.aim, one.opened.about) for one in hypothesis.follow_ups}
    for one in hypothesis.promised or ():
        if (one.aim, one.about) not in asked and not (one.aim is Aim.ABLATE and _failed(state, hypothesis, one.about)):
            yield one


def _failed(state: CampaignState, hypothesis: Hypothesis, part: str) -> bool:
    """Whether a finding without a part gave no score in its sweep, so that it cannot be compared with itself."""
    plan = state.ablations.get((hypothesis.id, part))
    tuned = state.tuned.get(plan.rival.id) if plan else None
    return plan is not None and tuned is not None and tuned.score is None and state.swept(plan.rival.id)
