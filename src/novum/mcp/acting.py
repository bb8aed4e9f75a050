"""What an agent may do: leave a proposal in the lab's mailbox, and ask what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from novum.core.model.candidate import Candidate, Genome, Scalar
from novum.core.model.errors import StudyError, UserError
from novum.core.model.identity import person
from novum.core.model.ports import Arena
from novum.core.model.request import Act
from novum.core.state.campaign_state import CampaignState
from novum.governance.mailbox import FOLDER, Mailbox
from novum.lab.proposal_checks import admitted
from novum.ledger.journal import is_held
from novum.mcp import answers
from novum.mcp.lab_reader import LabReader
from novum.mcp.reading import quoted
from novum.source.edits import changes as blocks
from novum.source.edits import edited
from novum.source.space import SourceSpace
from novum.views.candidate_changes import change_words
from novum.views.finding_views.finding_details import remarked
from novum.views.proposal_status import ProposalStatus, proposal_status

UNANSWERED = 20
"""Requests of one agent that may wait at a time."""

LONGEST_NAME = 80
_KNOWN = "give what propose returned, or a name like h7"


class AgentRequests:
    """One agent's requests to one lab."""

    def __init__(self, reader: LabReader, author: str) -> None:
        self.author = author
        self._reader = reader
        self._mailbox = Mailbox(reader.directory)
        self._sent: set[str] = set()

    def propose(
        self, state: CampaignState, arena: Arena | None, wanted: Mapping[str, Any], said: Mapping[str, Any]
    ) -> answers.Sent:
        """Check a proposal as the lab will, and leave it in the mailbox. Raises UserError with what to do."""
        if arena is None:
            raise UserError("the arena of this lab is not one of Novum's own, so candidates cannot be checked here")
        if self._waiting() >= UNANSWERED:
            raise UserError(
                f"{UNANSWERED} of your requests wait to be taken already: follow them first; the lab may not be running"
            )
        candidate = _candidate(state, arena, **wanted)
        request = self._mailbox.send(Act.PROPOSE, self.author, {"genome": dict(candidate.genome), **said})
        self._sent.add(request)  # between the mailbox and the record there is a moment in which it is in neither
        running = is_held(self._reader.directory)
        return answers.Sent(
            request,
            self.author,
            quoted(change_words(state.study, candidate.genome, state.incumbent.candidate.genome, 300)),
            running,
            "call follow with this request"
            if running
            else "the lab is not running; it is taken up by the next session",
        )

    def follow(self, state: CampaignState, name: str) -> answers.Status:
        """Where a request or a hypothesis stands. Raises UserError for a name that is neither."""
        if len(name) > LONGEST_NAME:
            raise UserError(f"a name has at most {LONGEST_NAME} characters, this one has {len(name)}: {_KNOWN}")
        if name in state.hypotheses:
            one = state.hypotheses[name]
            return _status(proposal_status(state, [one]), remarked(state, one.registered.number))
        known = self._reader.index.requests.status(state, name)
        if known is None:
            return self._untaken(name)
        return _status(known, remarked(state, self._reader.index.requests.requests[name].proposal or 0))

    def _waiting(self) -> int:
        """How many requests of this author wait in the lab, whoever sent them."""
        taken = self._reader.index.requests.requests
        signed = (author for name, author in self._mailbox.authors().items() if name not in taken)
        return sum(person(author) == person(self.author) for author in signed)

    def _untaken(self, name: str) -> answers.Status:
        if name in self._sent or _in_box(self._reader.directory, name):
            running = is_held(self._reader.directory)
            return answers.Status(
                "waiting", "in the mailbox" if running else "in the mailbox until the lab runs again: novum run"
            )
        raise UserError(f"there is no such request or hypothesis: {_KNOWN}")


def _in_box(directory: Path, name: str) -> bool:
    """Whether a request's file is there. A name with a path in it is none."""
    return name.replace("-", "").isalnum() and (directory / FOLDER / f"{name}.json").is_file()


def _candidate(
    state: CampaignState, arena: Arena, genome: Mapping[str, Scalar], files: Mapping[str, str], edits: str, base: str
) -> Candidate:
    """The candidate that a proposal amounts to, held to what the lab will ask of it. Raises UserError."""
    start = _base(state, base)
    if bool(genome) + bool(files) + bool(edits.strip()) != 1:
        raise StudyError("say what to change in exactly one way: genome, files or edits; see how_to_propose in study")
    return admitted(state, arena, _changed(arena.space, start, genome, files, edits))


def _changed(
    space: object, start: Genome, genome: Mapping[str, Scalar], files: Mapping[str, str], edits: str
) -> Genome:
    if isinstance(space, SourceSpace):
        if genome:
            raise StudyError("this study changes files: give files or edits, not genome")
        if files:
            return space.validate({**start, **files})
        return edited(space, start, blocks(edits, sorted({**space.base, **start})))
    if not genome:
        raise StudyError("this study has genes, not files: give genome")
    known: Any = space
    validated: Genome = known.validate({**start, **genome})
    return validated


def _base(state: CampaignState, base: str) -> Genome:
    if base in ("", "incumbent"):
        return state.incumbent.candidate.genome
    if base == "baseline":
        return state.incumbents[0].candidate.genome
    if base not in state.hypotheses:
        raise StudyError('base: give "incumbent", "baseline" or a hypothesis such as "h7"; see hypotheses')
    return state.hypotheses[base].candidate.genome


def _status(now: ProposalStatus, remarks: tuple[str, ...]) -> answers.Status:
    """As the agent is told, with the words of others marked."""
    return answers.Status(
        stage=now.stage,
        words=quoted(now.words),
        hypothesis=now.hypothesis,
        outcome=now.outcome,
        advantage=now.advantage,
        e_value=now.e_value,
        threshold=now.threshold,
        pairs=now.pairs,
        effect=now.effect,
        claims=list(now.claims),
        remarks=[quoted(one) for one in remarks],
    )
