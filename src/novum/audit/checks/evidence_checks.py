"""Whether a plan of the evidence ledger and a retraction by later runs follow from the record."""

from __future__ import annotations

from novum.audit.score_checks import Rules
from novum.core.engine import evidence_plan
from novum.core.engine.stages import tail_watch
from novum.core.events.evidence_account import EvidencePlanned, TailRefuted
from novum.core.model.errors import IntegrityError
from novum.core.state.campaign_state import CampaignState
from novum.ledger.codec import plain
from novum.text.canonical_json import canonical


def check_evidence(event: EvidencePlanned | TailRefuted, state: CampaignState, rules: Rules) -> None:
    """Hold a plan or a retraction to what the state before it says. Raises IntegrityError."""
    if isinstance(event, EvidencePlanned):
        expected = evidence_plan.due(state)
        if expected is None or canonical(plain(expected)) != canonical(plain(event)):
            raise IntegrityError("the plan of the evidence ledger does not follow from the budget and the record")
        return
    honest = tail_watch.refutation(state, rules.tails, state.hypotheses[event.hypothesis])
    if honest is None or canonical(plain(honest)) != canonical(plain(event)):
        raise IntegrityError(f"the retraction of {event.hypothesis} does not follow from its later runs")
