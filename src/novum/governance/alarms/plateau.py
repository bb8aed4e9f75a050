"""A search that gains nothing any more: for a while every second idea is the control's."""

from __future__ import annotations

from collections.abc import Iterator

from novum.core.events.oversight import Intervened
from novum.core.model.intervention import Alarm, Step
from novum.core.state.campaign_state import CampaignState
from novum.governance.alarms.alarm_inputs import AlarmInputs

MOST_DOUBLINGS = 10


def plateau(state: CampaignState, inputs: AlarmInputs) -> Iterator[Intervened]:
    """So many hypotheses in a row without a gain; twice as many each time until there is a finding."""
    settings, signals = inputs.settings, state.alarm_signals
    if signals.idle < settings.plateau_window << min(signals.plateaus, MOST_DOUBLINGS):
        return
    words = f"none of the last {signals.idle} hypotheses gained over the incumbent in screening by more than its doubt"
    until = state.proposals + 1 + settings.plateau_proposals
    evidence = {"screened": float(signals.idle), "times": float(signals.plateaus + 1)}
    if inputs.explores:
        words += f": every second of the next {settings.plateau_proposals} ideas is the control's"
    step = Step.EXPLORE if inputs.explores else Step.NOTE
    yield Intervened(Alarm.PLATEAU, step, "", words, evidence, until if inputs.explores else 0)
