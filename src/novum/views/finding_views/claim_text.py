"""What a claim is about, in words, and what its runs say of its losses."""

from __future__ import annotations

from dataclasses import dataclass

from novum.core.events.verdicts import ConfirmationOpened
from novum.core.model.verdict import Estimand
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis
from novum.gate.tail import tail
from novum.text.format import counted


@dataclass(frozen=True, slots=True)
class TailLine:
    """Losses of a finding: the worst of its verdict and fresh pairs in sd (None: a failed run), those beyond 4 sd.

    excluded: the share of runs with such losses that so many pairs exclude at 95 %. later_runs: of its candidate on
    fresh seeds since the finding, which the tail watch holds against the claim.
    """

    worst: float | None
    beyond: int
    pairs: int
    excluded: float
    later_runs: int


def claim_text(rule: ConfirmationOpened) -> str:
    """What "better" means in a claim."""
    of = " of logarithms, so of ratios" if rule.log else ""
    if rule.claim is Estimand.MEAN:
        return f"the mean gain{of}, losses up to {rule.loss * rule.scale:.3g} in full"
    width = rule.scale / rule.sigma
    clip = f"single differences count up to {width:g} sd ({rule.scale:.3g})"
    if rule.process == "scale-free":
        clip = "the value around which differences are symmetric, whatever their size"
    further = f", losses up to {rule.loss:g} times that" if rule.loss > 1.0 else ""
    return f"a typical gain{of}: {clip}{further}"


def tail_line(state: CampaignState, hypothesis: Hypothesis, rule: ConfirmationOpened) -> TailLine | None:
    """The tail of a supported claim; None before its first pair."""
    assert hypothesis.verdict
    last = hypothesis.verdict.pairs + (hypothesis.finding.pairs if hypothesis.finding else 0)
    found = tail(rule, hypothesis.pairs()[:last])
    if found is None:
        return None
    later = len(state.later_runs.get(hypothesis.id, ()))
    return TailLine(found.worst, found.beyond, found.pairs, found.excluded, later)


def tail_text(line: TailLine) -> str:
    """The same in words."""
    worst = "a failed run" if line.worst is None else f"{line.worst:.1f} sd"
    seen = f"{line.beyond} of {counted(line.pairs, 'pair')} lost more than 4 sd" if line.beyond else "none beyond 4 sd"
    later = f"; watched in {counted(line.later_runs, 'later run')}" if line.later_runs else ""
    return (
        f"losses: at worst {worst}, {seen}; so many pairs exclude that more than {line.excluded:.0%} of runs "
        f"lose that much{later}"
    )
