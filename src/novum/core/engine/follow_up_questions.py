"""Which questions a finding gets: a function of the study, the arena and the two candidates, and of nothing later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from novum.core.engine.context import Campaign
from novum.core.engine.finding_parts import parts, without
from novum.core.events.promises import FollowUpsPromised, Question
from novum.core.model.candidate import CandidateSpace, Genome, Setting
from novum.core.model.errors import StudyError
from novum.core.model.ports import Arena
from novum.core.model.trial_plan import Aim
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis


@dataclass(frozen=True)
class Admission:
    """What an arena admits. `with_options` builds it with other options than the study's. Raises StudyError."""

    space: CandidateSpace
    with_options: Callable[[Setting], Arena]

    def admits(self, options: Setting, genome: Genome) -> bool:
        """Whether a genome can be tried under these options."""
        try:
            self.with_options(options).cost(genome)
        except StudyError:
            return False
        return True


def promise(campaign: Campaign, hypothesis: Hypothesis) -> FollowUpsPromised:
    """What a finding will be asked."""
    admission = Admission(campaign.context.arena.space, campaign.context.arena_with_options)
    return FollowUpsPromised(hypothesis.id, tuple(questions(campaign.state, hypothesis, admission)))


def questions(state: CampaignState, hypothesis: Hypothesis, admission: Admission | None) -> Iterator[Question]:
    """What a finding can be asked, aim by aim. Without an admission: more than that, whatever the arena would say."""
    if state.study.follow_up.share <= 0.0:
        return
    for aim in state.study.follow_up.aims:
        for about in _subjects(state, hypothesis, aim):
            if admission is None or _admitted(state, hypothesis, Question(aim, about), admission):
                yield Question(aim, about)


def _subjects(state: CampaignState, hypothesis: Hypothesis, aim: Aim) -> Iterator[str]:
    """What one finding can be asked with one aim, as far as no arena is needed to tell."""
    if aim is Aim.REPLICATE:
        yield ""
    elif aim is Aim.TRANSFER:
        for transfer in state.spec.transfers:
            if {**state.study.options, **transfer.options} != state.study.options:
                yield transfer.name
    elif aim is Aim.METRIC:
        yield from state.study.follow_up.metrics
    else:
        yield from parts(state.spec, hypothesis)


def _admitted(state: CampaignState, hypothesis: Hypothesis, question: Question, admission: Admission) -> bool:
    """Whether the arena lets both sides of a question run."""
    assert hypothesis.rule
    mine, other = hypothesis.rule.candidate, hypothesis.rule.incumbent
    if question.aim is Aim.TRANSFER:
        transfer = next(one for one in state.spec.transfers if one.name == question.about)
        options = {**state.study.options, **transfer.options}
        return all(admission.admits(options, one.genome) for one in (mine, other))
    if question.aim is Aim.ABLATE:
        try:
            rival = without(admission.space, state.spec, hypothesis, (question.about,))
        except StudyError:
            return False
        return rival.id not in (mine.id, other.id) and admission.admits(state.study.options, rival.genome)
    return True
