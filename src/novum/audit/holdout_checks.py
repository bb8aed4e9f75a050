"""The holdout's record: queries in their order and number, and every answer computed again once it has closed."""

from __future__ import annotations

import hashlib
from typing import cast

from novum.audit.score_checks import Rules, Scores, close
from novum.core.engine.context import role_of
from novum.core.events.event import Event
from novum.core.events.trials import TrialFinished
from novum.core.events.verdicts import HoldoutAnswered, HoldoutAsked, HoldoutClosed, HoldoutDisclosure, HoldoutOpened
from novum.core.model import seeds
from novum.core.model.errors import IntegrityError
from novum.core.model.ports import AnswersByExample
from novum.core.model.study import Study
from novum.core.model.trial import Trial, TrialGroup
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis
from novum.gate.holdout_mechanisms import Query
from novum.gate.holdout_service import Final, TrialOf, answer, history


def check_holdout(event: Event, state: CampaignState, rules: Rules, scores: Scores) -> None:
    """Hold one event of the holdout against the record before it. Raises IntegrityError."""
    holdout = state.holdout
    if isinstance(event, HoldoutOpened):
        settings = state.study.holdout
        if (event.queries, event.mechanism) != (settings.queries, settings.mechanism) or holdout.opened:
            raise IntegrityError("the holdout is not opened once, as the study says")
        if event.alpha != state.study.gate.alpha:
            raise IntegrityError("the holdout has another alpha than the study")
    elif isinstance(event, HoldoutAsked):
        if holdout.left < 1 or event.number != len(holdout.asked) + 1 or holdout.waiting:
            raise IntegrityError(f"query {event.number} was put to the holdout out of turn, or beyond its number")
        if not state.hypotheses[event.hypothesis].finding or event.hypothesis in holdout.answers:
            raise IntegrityError(f"the holdout was asked about {event.hypothesis} twice, or before it was a finding")
    elif isinstance(event, HoldoutAnswered):
        if holdout.waiting is None or (event.hypothesis, event.number) != (
            holdout.waiting.hypothesis,
            holdout.waiting.number,
        ):
            raise IntegrityError(f"the holdout answered about {event.hypothesis}, which was not the question")
        if event.left != holdout.left:
            raise IntegrityError(f"the holdout says that {event.left} queries are left, and {holdout.left} are")
    elif isinstance(event, HoldoutClosed):
        _closed(event, state, rules, scores)


def _closed(event: HoldoutClosed, state: CampaignState, rules: Rules, scores: Scores) -> None:
    holdout, study = state.holdout, state.study
    if not holdout.spent or holdout.opened is None or len(event.answers) != len(holdout.asked):
        raise IntegrityError("the holdout was closed while queries were left, or with answers missing")
    if hashlib.sha256(bytes.fromhex(event.key)).hexdigest() != holdout.opened.key_commitment:
        raise IntegrityError("the key of the holdout is not the one that was committed to")
    if [told.hypothesis for told in event.answers] != [one.hypothesis for one in holdout.asked]:
        raise IntegrityError("the holdout was closed with answers to other questions than it was asked")
    for number, told in enumerate(event.answers, start=1):
        said = holdout.answers[told.hypothesis]
        if (told.held, told.reported) != (said.held, said.reported):
            raise IntegrityError(f"the holdout said one thing of {told.hypothesis} and another at its closing")
        question = state.hypotheses[told.hypothesis]
        if rules.arena is None or _left_out(question, scores):
            continue
        query = Query((0.0, 0.0), bytes.fromhex(event.key), alpha=holdout.opened.alpha)
        final = Final(cast(AnswersByExample, rules.arena), scores.blobs)
        now = answer(
            final, holdout.opened.mechanism, question, _trial_of(state, study, question), query, history(state, number)
        )
        if not _same(told, HoldoutDisclosure(told.hypothesis, now.held, now.e_value, now.threshold, now.reported)):
            raise IntegrityError(f"the holdout's answer about {told.hypothesis} does not follow from the artefacts")


def _left_out(question: Hypothesis, scores: Scores) -> bool:
    """Whether some of the artefacts behind an answer were left out on purpose."""
    return any(scores.left_out(run.artefact or "") for runs in question.runs.values() for run in runs.values())


def _trial_of(state: CampaignState, study: Study, question: Hypothesis) -> TrialOf:
    """Trials of a finding, whose key is public."""
    assert question.finding
    key = bytes.fromhex(question.finding.key)

    def find(run: TrialFinished) -> tuple[TrialGroup, Trial]:
        plan = state.plan(run.group)
        member = plan.members[run.member]
        trial = Trial(run.trial, seeds.seed(key, member.index), member.setting)
        group = TrialGroup(plan.id, plan.candidate, (trial,), study.options, plan.fidelity, study.limits, role_of(plan))
        return group, trial

    return find


def _same(one: HoldoutDisclosure, other: HoldoutDisclosure) -> bool:
    values = ((one.e_value, other.e_value), (one.threshold, other.threshold), (one.reported, other.reported))
    return one.held == other.held and all(
        (left is None and right is None) or (left is not None and right is not None and close(left, right))
        for left, right in values
    )
