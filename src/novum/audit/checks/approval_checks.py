"""Whether people were asked as the policy says, and whether an approval ended as their answers say."""

from __future__ import annotations

import math

from novum.audit.checks.order_checks import Checks
from novum.audit.score_checks import Rules, close
from novum.core.events.models_and_people import ApprovalAsked, ApprovalClosed
from novum.core.model.errors import IntegrityError
from novum.core.state.approvals import closing, name_of
from novum.core.state.campaign_state import CampaignState


def _approval(event: ApprovalAsked | ApprovalClosed, state: CampaignState, _: Rules) -> None:
    """Hold a question to people, or its end, against the policy and their answers. Raises IntegrityError."""
    policy, known = state.study.policy, state.request_log.approvals.get(event.id)
    if isinstance(event, ApprovalAsked):
        if known is not None or event.id != name_of(event.act, event.author, event.content):
            raise IntegrityError(f"the approval {event.id} is asked twice, or of another content than it is named by")
        if not close(event.expires, state.wall_seconds + policy.patience):
            raise IntegrityError(f"the approval {event.id} expires at another time than the policy says")
        return
    # How late it was nobody knows from the record, so that silence may have ended by then.
    honest = closing(known, policy, math.inf) if known else None
    if honest is None or (honest.granted, honest.reason) != (event.granted, event.reason):
        said = "granted" if event.granted else "refused"
        raise IntegrityError(f"the approval {event.id} was {said} ({event.reason}), which is not what people answered")


APPROVALS: Checks = {ApprovalAsked: _approval, ApprovalClosed: _approval}
