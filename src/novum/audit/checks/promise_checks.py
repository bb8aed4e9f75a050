"""Whether findings were asked what was promised with them, in the order in which it was due."""

from __future__ import annotations

from novum.audit.checks.order_checks import Checks
from novum.audit.score_checks import Rules
from novum.core.engine.follow_up_questions import Admission, questions
from novum.core.engine.stages.follow_up import has_room
from novum.core.events.promises import FollowUpsPromised, Question
from novum.core.events.trials import GroupDispatched
from novum.core.events.verdicts import AblationPlanned, FollowUpOpened
from novum.core.model.errors import IntegrityError
from novum.core.model.trial_plan import Aim, Purpose
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis
from novum.core.state.open_questions import open_questions

PROMISED_SINCE = 3
"""The schema since which a finding is recorded together with what it will be asked."""


def _promised(event: FollowUpsPromised, state: CampaignState, rules: Rules) -> None:
    """Hold a promise against the study and the finding. Raises IntegrityError."""
    hypothesis = state.hypotheses[event.hypothesis]
    if state.schema < PROMISED_SINCE:
        raise IntegrityError(f"the record says that it is of schema {state.schema}, which knew no promises")
    if hypothesis.finding is None or hypothesis.promised is not None:
        raise IntegrityError(f"{event.hypothesis} is promised follow-ups twice, or is no finding")
    arena = rules.arena if rules.code == state.code else None
    admission = Admission(arena.space, rules.arena_with_options) if arena else None
    expected = tuple(questions(state, hypothesis, admission))
    if event.questions != expected and (admission or not _part(event.questions, expected)):
        raise IntegrityError(
            f"the study asks a finding such as {event.hypothesis} {_listed(expected)}, and what was promised is "
            f"{_listed(event.questions)}"
        )


def _part(promised: tuple[Question, ...], possible: tuple[Question, ...]) -> bool:
    """Whether a promise may be right where that arena is not here, which could rule out transfers and ablations."""
    needed = [one for one in possible if one.aim in (Aim.REPLICATE, Aim.METRIC)]
    rest = iter(possible)
    return all(one in rest for one in promised) and set(needed) <= set(promised)


def _turn(event: FollowUpOpened | AblationPlanned, state: CampaignState, _: Rules) -> None:
    """Hold a question that is begun against those that were promised. Raises IntegrityError."""
    if state.schema < PROMISED_SINCE:
        return
    mine = Question(event.aim, event.about) if isinstance(event, FollowUpOpened) else Question(Aim.ABLATE, event.part)
    asked = next(open_questions(state), None)
    if asked is None:
        raise IntegrityError(f"{event.hypothesis} is asked {mine}, and no such question was promised and is open")
    hypothesis, question = asked
    if (hypothesis.id, question) != (event.hypothesis, mine):
        raise IntegrityError(
            f"{event.hypothesis} is asked {mine} while {hypothesis.id} was promised to be asked {question} before it: "
            "that follow-up was left out"
        )


def _passed_over(event: GroupDispatched, state: CampaignState, _: Rules) -> None:
    """New candidates are screened only while no follow-up that is due could begin. Raises IntegrityError."""
    screens = event.plan.purpose is Purpose.SCREEN and event.plan.subject != state.incumbent.candidate.id
    if state.schema < PROMISED_SINCE or not screens or state.following or event.plan.subject in state.rivals:
        return
    asked = next(open_questions(state), None) if has_room(state, state.study.follow_up.share) else None
    # Others than a replication are paid from the evidence, which may be spent.
    if asked and asked[1].aim is Aim.REPLICATE:
        raise IntegrityError(
            f"{event.plan.id} screens candidate {event.plan.subject} while {asked[0].id} was promised to be asked "
            f"{asked[1]}, and its share of the trials paid for that: the follow-up was left out"
        )


def check_promised(hypothesis: Hypothesis, event: object) -> None:
    """Hold what follows a finding against the promise that is recorded with it. Raises IntegrityError."""
    if not isinstance(event, FollowUpsPromised) or event.hypothesis != hypothesis.id:
        raise IntegrityError(f"{hypothesis.id} was recorded as a finding without a promise of what it will be asked")


def _listed(asked: tuple[Question, ...]) -> str:
    return "; ".join(map(str, asked)) or "nothing"


PROMISES: Checks = {
    FollowUpsPromised: _promised,
    FollowUpOpened: _turn,
    AblationPlanned: _turn,
    GroupDispatched: _passed_over,
}
