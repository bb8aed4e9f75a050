"""What follows from a request to the lab. It becomes events like any other act; nothing else comes in from outside."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from novum.core.engine.context import Campaign
from novum.core.events.event import Event
from novum.core.events.models_and_people import ModelReplied, RequestTaken
from novum.core.events.proposals import ProposalMade
from novum.core.model.budget import LARGEST
from novum.core.model.candidate import Candidate
from novum.core.model.errors import StudyError
from novum.core.model.identity import signs_as
from novum.core.model.model_call import AGENT, Reply
from novum.core.model.request import Act, Request
from novum.core.model.study import Study
from novum.core.state.approvals import Permission, ask_for, objection, permission
from novum.core.state.campaign_state import CampaignState
from novum.text.canonical_json import short

EXPORT = "export"


MAX_WORDS, MAX_PARENTS = 4000, 16


MAX_TRANSCRIPT = 256 << 10
"""Characters of an agent's brief, and of its log, that are kept."""


_HARMLESS = (Act.PAUSE, Act.RESUME, Act.STOP)
"""What does the same whoever signs it; nothing is in the way of who wants to stop a lab."""


def answer(campaign: Campaign, request: Request) -> list[Event]:
    """The events of one request. A proposal that makes no sense is taken down with the reason, and leads to nothing."""
    if request.id in campaign.state.request_log.taken:
        return []
    try:
        return _followed(campaign, request)
    except StudyError as error:
        why = str(error)
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:  # what nobody thought of
        why = f"it makes no sense ({type(error).__name__})"
    return [RequestTaken(request.id, request.act, request.author, f"refused: {why}"[:MAX_WORDS])]


def _followed(campaign: Campaign, request: Request) -> list[Event]:
    """Raises StudyError."""
    if request.act not in _HARMLESS and signs_as(request.author, _researchers(campaign.study)):
        raise StudyError(
            f"author {request.author!r}: that is how a researcher of this study signs, so use another name"
        )
    if request.act in (Act.APPROVE, Act.DENY):
        return [_answered(campaign.state, request)]
    if request.act is Act.EXPORT:
        return _export(campaign, request)
    if request.act is Act.DRAIN:
        machine = _text(request.body, "machine", 100)
        if machine not in campaign.state.machines.here:
            raise StudyError(f"no machine {machine!r} is here; `novum machines` lists them")
        return [RequestTaken(request.id, request.act, request.author, f"machine {machine}")]
    if request.act is not Act.PROPOSE:
        note = _text(request.body, "reason", MAX_WORDS)
        return [RequestTaken(request.id, request.act, request.author, note)]
    proposal = _proposal(campaign, request)
    assert proposal.candidate.id  # what has no address cannot be recorded either
    taken = RequestTaken(request.id, request.act, request.author, f"proposal {proposal.number}")
    return [taken, *_transcript(request), proposal]


def _researchers(study: Study) -> set[str]:
    """The names that a study's own researchers sign with: one outside Novum, named by path say, is not in OWN."""
    name, options = study.researcher.name, study.researcher.options
    members = f"{options.get('members', '')},{options.get('control', '')}" if name == "portfolio" else ""
    return {name, *(one.strip() for one in members.split(","))}


def _export(campaign: Campaign, request: Request) -> list[Event]:
    """Ask people, where the policy wants them to agree, before somebody takes results out of the lab."""
    what, policy = _text(request.body, "what", 200), campaign.study.policy
    content = export_content(campaign.state, what)
    taken = RequestTaken(request.id, request.act, request.author, what)
    if (
        permission(policy, campaign.state.request_log.approvals, EXPORT, request.author, content)
        is not Permission.NEEDED
    ):
        return [taken]
    words = f"take {what} out of the lab"
    return [taken, ask_for(EXPORT, request.author, content, words, campaign.state.wall_seconds, policy)]


def export_content(state: CampaignState, what: str) -> str:
    """What an approval of an export is for: exactly this, of exactly this lab."""
    return short([EXPORT, what, state.secret_commitment])


def _answered(state: CampaignState, request: Request) -> RequestTaken:
    """An answer to an approval; one that does not count is taken down with the reason."""
    about, content = _text(request.body, "approval", 80), _text(request.body, "content")
    note = _text(request.body, "reason", MAX_WORDS)
    if why := objection(state.request_log.approvals, about, request.author, content, request.act):
        return RequestTaken(request.id, request.act, request.author, f"refused: {why}")
    return RequestTaken(request.id, request.act, request.author, note, about)


def _proposal(campaign: Campaign, request: Request) -> ProposalMade:
    """Raises StudyError."""
    body, given = request.body, request.body.get("genome")
    genome = {name: one for name, one in given.items() if one is not None} if isinstance(given, dict) else None
    if genome is None or not all(isinstance(value, str | int | float | bool) for value in genome.values()):
        raise StudyError("genome: a proposal names a value for each gene, or a text for each file, that it changes")
    known = campaign.context.arena.space
    parents = [] if body.get("parents") is None else body["parents"]
    if not isinstance(parents, list | tuple):
        raise StudyError("parents: must be a list of hypotheses")
    return ProposalMade(
        number=campaign.state.proposals + 1,
        author=request.author,
        candidate=Candidate(known.validate(genome)),
        parents=tuple(
            dict.fromkeys(str(one) for one in parents[:MAX_PARENTS] if str(one) in campaign.state.hypotheses)
        ),
        rationale=_text(body, "rationale", MAX_WORDS),
        probability=_number(body, "probability", 0.1, 0.0, 1.0),
        effect=_number(body, "effect", 0.0, -math.inf, math.inf),
        request=request.id,
    )


def _transcript(request: Request) -> list[Event]:
    """What an agent says it was told and answered: in the record like a model's words, and no more to be trusted."""
    said = request.body.get("transcript")
    if not isinstance(said, Mapping):
        return []
    used, told, seconds = (_amount(said.get(name)) for name in ("input_tokens", "output_tokens", "seconds"))
    prompt, reply = (_text(said, name, MAX_TRANSCRIPT) for name in ("brief", "log"))
    outcome, cause = Reply.PROPOSAL, "as the agent's own side tells it"
    words = request.id, request.author, outcome, cause, AGENT, prompt, reply
    return [ModelReplied(*words, int(used), int(told), 0.0, seconds)]


def _text(said: Mapping[str, Any], key: str, most: int | None = None) -> str:
    """A text of at most `most` characters; null is nothing, as if it were left out."""
    value = said.get(key)
    return "" if value is None else str(value)[:most]


def _amount(value: object) -> float:
    known = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < LARGEST
    return float(value) if known else 0.0  # type: ignore[arg-type]


def _number(body: Mapping[str, Any], key: str, default: float, low: float, high: float) -> float:
    value = default if body.get(key) is None else body[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < LARGEST:
        raise StudyError(f"{key}: must be a number, not {str(value)[:80]!r}")
    if not low <= value <= high:
        raise StudyError(f"{key}: must lie between {low:g} and {high:g}, not {value:g}")
    return float(value)
