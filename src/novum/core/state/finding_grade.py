"""How well a finding has held since it was recorded."""

from __future__ import annotations

from novum.core.model.metric import gain
from novum.core.model.verdict import Verdict
from novum.core.state.hypothesis import Hypothesis


def grade(hypothesis: Hypothesis) -> str:
    """How well a supported hypothesis has held since: confirmed, unstable, replicated or retracted, with the reason."""
    if reason := hypothesis.retracted:
        return f"retracted: {reason}"
    again = [one.closed.verdict for one in hypothesis.replications if one.closed]
    if loss := fresh_loss(hypothesis):
        return f"unstable: a fresh run lost {loss:.1f} sd"
    return "replicated" if Verdict.SUPPORTED in again else "confirmed"


def fresh_loss(hypothesis: Hypothesis) -> float:
    """The largest loss of the fresh pairs, in sd, where it lies beyond the floor of the claim; else 0."""
    rule, verdict, found = hypothesis.rule, hypothesis.verdict, hypothesis.finding
    if rule is None or verdict is None or found is None or not rule.floor:
        return 0.0
    fresh = hypothesis.pairs()[verdict.pairs : verdict.pairs + found.pairs]
    losses = [
        rule.delta - gain(one.candidate, one.incumbent, higher_is_better=rule.higher_is_better, log=rule.log)
        for one in fresh
        if one.candidate is not None and one.incumbent is not None
    ]
    worst = max(losses, default=0.0)
    return worst / rule.sigma if worst > rule.floor * rule.sigma else 0.0
