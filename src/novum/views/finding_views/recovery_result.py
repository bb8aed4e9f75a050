"""What another researcher found from the baseline, beside what the campaign found."""

from __future__ import annotations

from dataclasses import dataclass

from novum.core.model.metric import gain
from novum.core.state.campaign_state import CampaignState
from novum.text.format import counted, number

DIRECTORY = "recovery"
"""Where its campaigns are kept, within a lab."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """Gains over the baseline in metric units, each from fresh runs; share: the control's part of the campaign's gain.

    gain: of the control, 0 when it found nothing; None (and share) where a level is not measured.
    """

    researcher: str
    trials: int
    findings: int
    gain: float | None
    campaign_gain: float | None
    share: float | None
    words: str


def compared(state: CampaignState, control: CampaignState) -> Recovery:
    """The control beside the campaign."""
    mine, theirs = _gain(state), _gain(control)
    share = theirs / mine if mine and theirs is not None and mine > 0 else None
    name, found = control.study.researcher.name, len([one for one in control.findings if not one.retracted])
    budget = f"{name} from the baseline, with {counted(control.trials, 'trial')}"
    if not found:
        words = f"{budget}, found nothing where the campaign gained {number(mine)}"
    elif share is None:
        words = f"{budget}, made {counted(found, 'finding')}; their gain is not measured"
    else:
        words = f"{budget}, gained {number(theirs)} where the campaign gained {number(mine)}: {share:.0%} of it"
    return Recovery(name, control.trials, found, theirs, mine, share, words)


def _gain(state: CampaignState) -> float | None:
    """The incumbent's mean over the baseline's on fresh runs, positive is better."""
    first, last = state.incumbents[0].candidate.id, state.incumbent.candidate.id
    if first == last:
        return 0.0
    before, now = state.level(first), state.level(last)
    if before is None or now is None:
        return None
    return gain(now, before, higher_is_better=state.spec.higher_is_better, log=state.spec.log)
