"""The researcher that asks models, and never waits for one.

It says what it wants to ask, sends it once means are set aside, and has an idea when the answer is in; meanwhile it
asks further ones. While models fail or cannot be paid, somebody else proposes in its name.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from novum.core.model.candidate import Candidate
from novum.core.model.errors import StudyError
from novum.core.model.model_call import ModelCall, Reply
from novum.core.model.ports import Researcher
from novum.core.model.proposal import Pending, Proposal
from novum.core.model.study_view import StudyView
from novum.researchers.language import templates
from novum.researchers.language.backoff import Backoff
from novum.researchers.language.build_request import compose, repaired
from novum.researchers.language.endpoint.ready import ready
from novum.researchers.language.language_options import LanguageOptions, Model
from novum.researchers.language.model_request import Request
from novum.researchers.language.parse_reply import Answer, read
from novum.researchers.language.raw_response import RawResponse, settled
from novum.researchers.language.recorded_replies import Recorded, Script
from novum.researchers.language.reply_forms import form_as, form_of
from novum.researchers.language.request_worker import Call, Caller
from novum.researchers.language.untrusted_text import line
from novum.source.space import SourceSpace

DUPLICATES = 2
"""Ideas in a row that had been tried already, after which somebody else proposes once."""

FIRST_IN_FLIGHT, MOST_IN_FLIGHT = 2, 64
"""Requests at once in the beginning and at most, where the study does not say."""


@dataclass
class LanguageResearcher:
    """The Researcher port. `recorded` reads the replies of a lab, for `options.replay`.

    Raises MissingExtra, StudyError for models that cannot be asked from here.
    """

    options: LanguageOptions = field(default_factory=LanguageOptions)
    recorded: Callable[[str], Sequence[Recorded]] | None = None

    def __post_init__(self) -> None:
        self._models: tuple[Model, ...] = self.options.models()
        if not self.options.replay:
            ready(self._models)
        self._script: Script | None = None
        self._caller = Caller(self.options.timeout)
        self._backoff = Backoff(self.options.backoff, alone=self.options.fallback == "none")
        self._wanted: list[Request] = []
        self._asked: Request | None = None
        self._calls: list[Call] = []
        local = any(one.provider == "local" for one in self._models)
        self._most = 1 if local else self.options.in_flight or FIRST_IN_FLIGHT
        self._adapts = not local and not self.options.in_flight
        self._starved = False
        self._one_a_turn, self._turn = False, 0
        self._denied = self._told = False
        self._repeated = 0
        self._proposed: set[str] = set()
        self._others: dict[bool, Researcher] = {}

    @property
    def pending(self) -> bool:
        """Whether an answer, or the end of a pause, is worth waiting for."""
        return any(call.awaited for call in self._calls) or self._backoff.waiting

    def close(self) -> None:
        """End the requests in flight, their threads, and the local model, at once."""
        self._caller.close()

    def share_turns(self) -> None:
        """Others propose as well: from now on there is at most one request for each turn."""
        self._one_a_turn = True

    def fetch(self, view: StudyView) -> Proposal | Pending | None:
        """What an answer that is in leads to, or word that answers are awaited; nothing is asked."""
        self._send(view)
        return self._heard(view) or (Pending() if self._calls else None)

    def propose(self, view: StudyView, rng: random.Random) -> Proposal | Pending | None:
        """The next step of the conversations. Raises StudyError for an arena whose candidates have no form."""
        draw = random.Random(rng.getrandbits(64))
        if self.options.replay:
            return self._replayed(view, rng, draw)
        self._send(view)
        if self._asked is not None:
            return self._heard(view) or self._patient(view, rng, self._asked)
        asks = not self._denied and not self._tired and self._backoff.over
        wanted = self._ask(view, draw) if asks and self._has_room(view.number) else None
        if said := wanted or self._heard(view):
            return said
        if self._calls and asks:
            self._starved = True
            return Pending()
        if not self._backoff.over and self._backoff.brief:
            return Pending()
        return self._instead(view, rng)

    def _send(self, view: StudyView) -> None:
        """Send the request for which means have been set aside. One that was refused is the last."""
        asked = self._asked
        if asked is None:
            return
        if asked.id in view.means.reserved:
            self._calls.append(self._caller.send(asked))
            self._asked = None
        elif asked.id in view.means.denied:
            self._denied = True  # who keeps the budget, or the policy, has said why, in the record
            self._asked = None

    def _has_room(self, turn: int) -> bool:
        return len(self._calls) < self._most and not (self._one_a_turn and turn == self._turn)

    def _patient(self, view: StudyView, rng: random.Random, asked: Request) -> Proposal | Pending | None:
        """People have yet to allow a request: others propose meanwhile. Once they have, it is asked for again."""
        if {asked.id, asked.model.label} & view.means.awaiting:
            return self._instead(view, rng)
        return Pending(ask=asked.asked("language"))

    @property
    def _tired(self) -> bool:
        """Whether the models only repeat themselves, and somebody else has ideas."""
        return self._repeated >= DUPLICATES and self.options.fallback != "none"

    def _ask(self, view: StudyView, draw: random.Random) -> Pending | None:
        """Want a request, if its worst case can be paid; while others are in flight, a later one may be."""
        request = self._wanted.pop(0) if self._wanted else self._composed(view, draw)
        if short := _short(view, request):
            if self._told or self._calls:
                return None
            self._told = True
            return Pending(consulted=(self._note(request, Reply.UNAFFORDABLE, short),))
        self._asked, self._turn = request, view.number
        return Pending(ask=request.asked("language"))

    def _composed(self, view: StudyView, draw: random.Random) -> Request:
        """The request of this view. One that a lab before this one never saw the end of is not sent again as it is."""
        model = self._models[(draw.randrange(len(self._models)) + self._backoff.failures) % len(self._models)]
        seed = draw.getrandbits(31) ^ self._backoff.failures
        for again in range(len(view.means.reserved) + 1):
            request = compose(view, model, self.options, seed, again, self._proposed)
            if request.id not in view.means.reserved:
                break
        return request

    def _heard(self, view: StudyView) -> Proposal | Pending | None:
        """What the first answer that is in leads to."""
        call = next((one for one in self._calls if one.heard is not None), None)
        if call is None:
            return None
        self._calls.remove(call)
        assert call.heard is not None
        repairs = len(self._wanted)
        said = self._concluded(view, call.request, call.heard)
        if isinstance(said, Proposal):
            self._backoff.succeeded()
            self._adapt(2.0 if self._starved else 1.0)
        elif len(self._wanted) == repairs:
            self._backoff.failed(call.heard.retry_after)
            self._adapt(0.5)
        return said

    def _adapt(self, factor: float) -> None:
        """More requests at once where the lab has had to wait for answers, fewer where they fail."""
        if self._adapts:
            self._most = min(MOST_IN_FLIGHT, max(1, int(self._most * factor)))
        self._starved = False

    def _concluded(
        self, view: StudyView, request: Request, heard: RawResponse, step: Recorded | None = None
    ) -> Proposal | Pending:
        """What an answer leads to: a proposal, or the reason why there is none and perhaps another try."""
        answer, outcome, cause = _understood(view, request, heard, self.options, step)
        consulted = settled(request, heard, outcome, cause, templates.VERSION, replayed=bool(self.options.replay))
        if step:
            source = "; ".join(part for part in (consulted.cause, _source(request, step)) if part)
            consulted = replace(consulted, model=step.model, cause=source)
        if answer is None:
            if outcome is Reply.MALFORMED and heard.text and not request.repairs:
                self._wanted.append(repaired(request, heard.text, cause))
            return Pending(consulted=(consulted,))
        address = Candidate(answer.genome).id
        repeats = address in view.known or address in self._proposed or answer.genome == view.incumbent
        self._repeated = self._repeated + 1 if repeats else 0
        self._proposed.add(address)
        return Proposal(
            genome=answer.genome,
            rationale=answer.rationale,
            probability=answer.probability,
            effect=answer.effect,
            author=f"language:{request.model.label}",
            consulted=(consulted,),
        )

    def _note(self, request: Request, outcome: Reply, cause: str) -> ModelCall:
        return ModelCall(
            request=request.id,
            model=request.model.label,
            outcome=outcome,
            cause=cause,
            template=templates.VERSION,
            prompt=request.content.decode(),
        )

    def _instead(self, view: StudyView, rng: random.Random) -> Proposal | Pending | None:
        """A proposal of the substitute, under its name."""
        self._repeated = 0
        name = self.options.fallback
        if name == "none":
            waits = not self._denied and not self._told
            return Pending() if waits else Pending(final=True)
        programs = name == "code" or (name == "auto" and isinstance(view.space, SourceSpace))
        said = self._other(programs=programs).propose(view, rng)
        if isinstance(said, Proposal):
            return replace(said, author=f"language/{'code' if programs else 'evolve'}")
        return said

    def _other(self, *, programs: bool) -> Researcher:
        if programs not in self._others:
            from novum.researchers.code import CodeResearcher
            from novum.researchers.evolve import EvolveResearcher

            self._others[programs] = CodeResearcher() if programs else EvolveResearcher()
        return self._others[programs]

    def _replayed(self, view: StudyView, rng: random.Random, draw: random.Random) -> Proposal | Pending | None:
        """The next step of a recorded study. Nothing is sent anywhere."""
        if self._script is None:
            self._script = Script(self.recorded(self.options.replay) if self.recorded else ())
        if self._script.substituted:
            return self._instead(view, rng)
        request = self._wanted.pop(0) if self._wanted else self._composed(view, draw)
        step = self._script.next(request.id)
        if step is None:
            self._told = True
            return self._instead(view, rng)
        said = self._concluded(view, request, step.heard, step)
        if isinstance(said, Proposal):
            self._backoff.succeeded()
            return replace(said, author=f"language:{step.model}")
        if not self._wanted:
            self._backoff.failures += 1
        return said


def _understood(
    view: StudyView, request: Request, heard: RawResponse, options: LanguageOptions, step: Recorded | None
) -> tuple[Answer | None, Reply, str]:
    """The answer in what was heard, how the request ended, and why."""
    if heard.outcome is not None:
        return None, heard.outcome, heard.cause
    try:
        form = form_as(view.space, *step.start) if step and step.start else None
        form = form or form_of(view.space, request.base, options.edit, small=request.model.small)
        return read(heard.text, form, view.spec), Reply.PROPOSAL, ""
    except StudyError as error:
        outcome = Reply.TRUNCATED if heard.truncated else Reply.MALFORMED
        return None, outcome, line(str(error), 600)


def _source(request: Request, step: Recorded | None) -> str:
    """Where a replayed answer comes from, if its request was another one."""
    if step is None or step.request == request.id:
        return ""
    return f"from the record, where the brief was another: {step.request}"


def _short(view: StudyView, request: Request) -> str:
    """What is missing for the worst case of a request, in words, or nothing."""
    tokens, money = request.max_input + request.max_output, request.money
    if view.means.tokens is not None and tokens > view.means.tokens:
        return f"{tokens} tokens may be needed, {view.means.tokens} are left"
    if view.means.money is not None and money > view.means.money:
        return f"{money:.4f} dollars may be needed, {view.means.money:.4f} are left"
    return ""
