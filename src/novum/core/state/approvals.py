"""May somebody do this? The policy's first rule that fits says yes, no, or: when people have approved it.

An approval is for one content (a hash): what changes afterwards is something else and needs its own. Nobody approves
what they proposed; silence until the end of its time is a no.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum

from novum.core.events.models_and_people import ApprovalAsked, ApprovalClosed, RequestTaken
from novum.core.model.budget import Budget, Spent
from novum.core.model.identity import fits, person
from novum.core.model.request import Act
from novum.core.model.study import PolicyRule, PolicySettings
from novum.text.canonical_json import short

SPEND = "spend"


class Permission(StrEnum):
    """What the policy says of one act now."""

    GRANTED = "granted"
    REFUSED = "refused"
    NEEDED = "needed"
    WAITING = "waiting"


@dataclass
class Approval:
    """One that was asked for: the answers so far, and how it ended."""

    asked: ApprovalAsked
    votes: dict[str, bool] = field(default_factory=dict)
    closed: ApprovalClosed | None = None


Approvals = dict[str, Approval]


def ask_for(act: str, author: str, content: str, summary: str, now: float, policy: PolicySettings) -> ApprovalAsked:
    """The question to people, about exactly this content. now: seconds of the campaign."""
    return ApprovalAsked(name_of(act, author, content), act, author, content, summary, now + policy.patience)


def name_of(act: str, author: str, content: str) -> str:
    """The id of an approval: another act, author or content has another one, whatever somebody tries."""
    return f"a{short([act, author, content], 32)}"


def permission(policy: PolicySettings, approvals: Approvals, act: str, author: str, content: str) -> Permission:
    """Whether `author` may do this to exactly this content. Without rules everything is allowed; unlisted is not."""
    if not policy.rules:
        return Permission.GRANTED
    rule = next((one for one in policy.rules if one.act == act and fits(author, one.author)), None)
    return _said(rule, about(approvals, act, author, content)) if rule else Permission.REFUSED


def about(approvals: Approvals, act: str, author: str, content: str) -> Approval | None:
    """What people were asked about exactly this, and what they said."""
    return approvals.get(name_of(act, author, content))


def _said(rule: PolicyRule, known: Approval | None) -> Permission:
    """What one rule, and people if it asks for them, say."""
    if rule.allow != "approval":
        return Permission.GRANTED if rule.allow == "yes" else Permission.REFUSED
    if known is None:
        return Permission.NEEDED
    if known.closed is None:
        return Permission.WAITING
    return Permission.GRANTED if known.closed.granted else Permission.REFUSED


def spending(policy: PolicySettings, approvals: Approvals, author: str, content: str, cost: Spent) -> Permission:
    """Whether `author` may spend `cost` on this content: only rules say no whose amount it exceeds."""
    for rule in policy.rules:
        if rule.act == SPEND and fits(author, rule.author) and exceeds(cost, rule.over):
            return _said(rule, about(approvals, SPEND, author, content))
    return Permission.GRANTED


def exceeds(cost: Spent, over: Budget) -> bool:
    """Whether a cost is above an amount in anything that the amount names."""
    named = ((getattr(over, one.name), getattr(cost, one.name)) for one in fields(over))
    return any(bound is not None and used > bound for bound, used in named)


def objection(approvals: Approvals, request: str, author: str, content: str, said: Act) -> str:
    """Why an answer to an approval does not count, or nothing."""
    known = approvals.get(request)
    if known is None:
        return f"there is no approval {request!r}: see `novum inbox`"
    if known.closed:
        return f"{request} is closed: {known.closed.reason}"
    if content != known.asked.content:
        return f"the content of {request} is not what was looked at: look again with `novum inbox`"
    if said is Act.APPROVE and person(author) == person(known.asked.author):
        return "nobody approves what they proposed"
    return ""


def closing(known: Approval, policy: PolicySettings, now: float) -> ApprovalClosed | None:
    """The end of an approval, once it is decided: a no of one, a yes of enough, or its time is over."""
    if known.closed:
        return None
    against = [name for name, yes in known.votes.items() if not yes]
    agreed = [name for name, yes in known.votes.items() if yes]
    if against:
        return ApprovalClosed(known.asked.id, False, f"denied by {against[0]}")
    if len(agreed) >= policy.approvers:
        return ApprovalClosed(known.asked.id, True, f"approved by {' and '.join(agreed)}")
    if now >= known.asked.expires:
        return ApprovalClosed(known.asked.id, False, "nobody approved it in time")
    return None


def vote(approvals: Approvals, taken: RequestTaken) -> None:
    """Count an answer that was taken; whoever answers again changes their mind."""
    if taken.about and taken.about in approvals:
        votes = approvals[taken.about].votes
        for name in [one for one in votes if person(one) == person(taken.author)]:
            del votes[name]
        votes[taken.author] = taken.act is Act.APPROVE
