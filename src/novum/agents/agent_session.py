"""Rounds of an agent on a lab: a fresh brief, a run, a proposal in the mailbox, and what becomes of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from novum.agents.agent_options import check_command, check_lab
from novum.agents.agent_task import AgentFailed, AgentRun, AgentTask, Call, Idea, Workspace
from novum.agents.diff_view import difference, summary
from novum.agents.lab_follower import LabFollower
from novum.agents.model_gateway import Gateway
from novum.agents.parse_proposal import idea
from novum.agents.run_agent import run_agent
from novum.agents.workspace import make_workspace
from novum.core.model.errors import UserError
from novum.core.model.ports import Arena, NeedsSandbox
from novum.core.model.request import Act
from novum.core.state.study_views.researcher_view import view_of
from novum.governance.mailbox import Mailbox
from novum.lab.proposal_checks import known_arena
from novum.ledger.journal import is_held
from novum.sandbox import Tier, require, sandbox_status
from novum.text.format import cut
from novum.views.proposal_status import ProposalStatus

LOOK_SECONDS = 0.3
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Round:
    """What a round came to. request: empty when nothing was sent; failure: why nothing can be proposed, or nothing.

    change: in a line; difference: in full; seconds: of the run; status: exit status of the command, None when it was
    ended; log: what it printed, cleaned. fate: what is known of the proposal, with a note on why nobody waits longer.
    """

    number: int
    author: str
    request: str = ""
    failure: str = ""
    change: str = ""
    difference: str = ""
    rationale: str = ""
    probability: float | None = None
    effect: float | None = None
    seconds: float = 0.0
    status: int | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    calls: tuple[Call, ...] = ()
    notes: tuple[str, ...] = ()
    log: str = field(default="", repr=False)
    fate: ProposalStatus | None = None
    waited: str = ""


@dataclass(frozen=True, slots=True)
class AgentRounds:
    """The rounds of an agent, in their order."""

    rounds: tuple[Round, ...]


class AgentSession:
    """An agent on a lab; `say` is told how it goes, `show` what it prints. Raises UserError for what cannot work."""

    def __init__(self, lab: Path, task: AgentTask, author: str, gateway: Gateway | None, say: Say, show: Say) -> None:
        self._lab, self._task, self._author = lab, task, author
        self._gateway, self._say, self._show = gateway, say, show
        self._follower = LabFollower(lab)
        self._arena = known_arena(self._follower.state)
        self._tier = _tier(self._arena, gateway)
        check_lab(lab)
        check_command(task.command, task.readable, task.environment)

    def round(self, number: int = 1, *, send: bool = True) -> Round:
        """Run the agent once on a fresh brief, and leave its proposal in the mailbox unless `send` is false.

        Raises SandboxUnavailable, StorageError, UserError; an agent that fails is told in the round.
        """
        state = self._follower.look()
        made = make_workspace(view_of(state, self._arena, state.proposals + 1), gateway=self._gateway is not None)
        for path in made.withheld:
            self._say(f"{cut(path, 200)} is not shown: what looks like a secret is in it")
        self._say(
            f"round {number}: {cut(' '.join(self._task.command), 120)} in a sandbox of tier {self._tier}, "
            f"at most {self._task.seconds:g} s"
        )
        ran = run_agent(self._task, made, self._tier, self._gateway, self._say, self._show)
        used = ran.usage
        told = Round(
            number=number,
            author=self._author,
            seconds=round(ran.seconds, 3),
            status=ran.status,
            input_tokens=used.input_tokens,
            output_tokens=used.output_tokens,
            calls=ran.calls,
            log=ran.log,
        )
        try:
            return self._proposed(told, made, ran, send=send)
        except AgentFailed as error:
            return replace(told, failure=_blamed(str(error), ran, made))

    def _proposed(self, told: Round, made: Workspace, ran: AgentRun, *, send: bool) -> Round:
        if ran.edit is None:
            raise AgentFailed(ran.failure)
        state = self._follower.look()
        found = idea(ran.edit, made, state, self._arena)
        left_out = tuple(f"left out, as a tool's own: {path}" for path in ran.edit.left_out)
        told = replace(
            told,
            change=summary(self._arena.space, made, found.candidate.genome),
            difference=difference(self._arena.space, made, found.candidate.genome),
            rationale=found.rationale,
            probability=found.probability,
            effect=found.effect,
            notes=(*found.notes, *left_out),
        )
        if not send:
            return told
        parents = [state.incumbent.hypothesis] if state.incumbent.hypothesis else []
        body = {**_said(found), "parents": parents, "transcript": _transcript(made, ran)}
        return replace(told, request=Mailbox(self._lab).send(Act.PROPOSE, self._author, body))

    def wait(self, told: Round) -> Round:
        """Wait until nothing more comes of a proposal, or nobody works on it, and say which."""
        stage = ""
        while True:
            held = is_held(self._lab)  # asked first: what a session did at its end is then in the record
            fate = self._follower.fate(told.request)
            if fate is not None and fate.stage != stage:
                stage = fate.stage
                self._say(f"{fate.hypothesis or told.request}: {stage}, {cut(fate.words, 200)}")
            if (why := self._why_no_longer(fate, held=held)) is not None:
                return replace(told, fate=fate, waited=why)
            time.sleep(LOOK_SECONDS)

    def _why_no_longer(self, fate: ProposalStatus | None, *, held: bool) -> str | None:
        """Why waiting makes no sense any more, empty when it is over; None to go on."""
        if fate is not None and fate.over:
            return ""
        if not held:
            return "the lab is not running; the proposal is taken up by the next `novum run`"
        study = self._follower.state.study
        if fate is not None and fate.short and study is not None and study.researcher.name == "inbox":
            return cut(fate.words, 300)  # nobody else proposes: it would wait for ever
        return None


def _tier(arena: Arena, gateway: Gateway | None) -> Tier:
    """The strongest tier that stands here. Raises SandboxUnavailable when it is too weak."""
    found = sandbox_status().tier
    for least in (Tier.LANDLOCK, Tier((arena.isolation if isinstance(arena, NeedsSandbox) else "") or Tier.NONE)):
        require(found, least)
    if gateway is not None and not found.at_least(Tier.NAMESPACES):
        raise UserError(
            f"--gateway needs a sandbox of tier {Tier.NAMESPACES}, as tier {found} has no sockets: see `novum doctor`, "
            "or run an agent that needs no model"
        )
    return found


def _blamed(why: str, ran: AgentRun, made: Workspace) -> str:
    """Why nothing is proposed; a command that failed is to blame before its empty hands."""
    edit = ran.edit
    empty = edit is not None and not edit.deleted and not edit.refused and not set(edit.files) - {made.brief_name}
    if edit is not None and edit.status != 0 and empty:
        return f"the agent ended with exit status {edit.status} and changed nothing"
    return f"the agent brought nothing that can be proposed: {why}"


def _said(found: Idea) -> dict[str, Any]:
    return {
        "genome": dict(found.candidate.genome),
        "rationale": found.rationale,
        "probability": found.probability,
        "effect": found.effect,
    }


def _transcript(made: Workspace, ran: AgentRun) -> Mapping[str, Any]:
    """What the record keeps of how the proposal came about."""
    return {
        "brief": made.brief,
        "log": ran.log,
        "seconds": round(ran.seconds, 3),
        "status": ran.status,
        "input_tokens": ran.usage.input_tokens,
        "output_tokens": ran.usage.output_tokens,
    }
