"""How well a finding has held since it was recorded."""

from __future__ import annotations

from novum.core.model.verdict import Verdict
from novum.core.state.hypothesis import Hypothesis


def grade(hypothesis: Hypothesis) -> str:
    """How well a supported hypothesis has held since: confirmed, replicated or retracted (with the reason)."""
    if reason := hypothesis.retracted:
        return f"retracted: {reason}"
    again = [one.closed.verdict for one in hypothesis.replications if one.closed]
    return "replicated" if Verdict.SUPPORTED in again else "confirmed"
