"""A model that remarks on what another researcher proposes and on what came of it, and never holds that one up.

Between two proposals it asks for means, sends its request once they are set aside, and hands over what came back. What
it says is kept in the record and shown as a model's words; nothing is proposed, measured or decided by it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from novum.core.model.errors import StudyError
from novum.core.model.model_call import COMMENTS, Reply
from novum.core.model.ports import Closable, Researcher, WorksInBackground
from novum.core.model.proposal import Comment, Pending, Proposal
from novum.core.model.study import CommentSettings
from novum.core.model.study_view import ClaimView, StudyView
from novum.researchers.language import comment_prompt, templates
from novum.researchers.language.backoff import Backoff
from novum.researchers.language.endpoint.ready import ready
from novum.researchers.language.language_options import parsed
from novum.researchers.language.model_request import Request
from novum.researchers.language.raw_response import RawResponse, settled
from novum.researchers.language.recorded_replies import Recorded
from novum.researchers.language.request_worker import Call, Caller
from novum.researchers.language.untrusted_text import line

TABLE = "comments"
ANALYST, CRITIC = "analyst", "critic"
"""Whose part a model takes: after a verdict, and before any trial."""

BACKOFF = 1.0


@dataclass(frozen=True, slots=True)
class CommentTask:
    """A request for a comment: on which hypothesis, and in whose part."""

    about: str
    part: str
    request: Request


@dataclass
class CommentingResearcher:
    """The Researcher port around another one. `recorded` reads the comments of a lab, for `settings.replay`.

    Raises MissingExtra, StudyError for a model that cannot be asked from here.
    """

    inner: Researcher
    settings: CommentSettings
    recorded: Callable[[str], Sequence[Recorded]] | None = None

    def __post_init__(self) -> None:
        self._model = parsed(self.settings.model, self.settings.price_ceiling, TABLE)
        if not self.settings.replay:
            ready((self._model,), TABLE)
        self._caller = Caller(self.settings.timeout)
        self._backoff = Backoff(BACKOFF)
        self._wanted: CommentTask | None = None
        self._sent: tuple[CommentTask, Call] | None = None
        self._done: set[tuple[str, str, int]] = set()
        self._script: dict[str, Recorded] | None = None
        self._over = False

    @property
    def pending(self) -> bool:
        """Whether the other one is: nobody waits for a comment."""
        return isinstance(self.inner, WorksInBackground) and self.inner.pending

    def close(self) -> None:
        """End the request in flight, and what the other one has in the background."""
        self._caller.close()
        if isinstance(self.inner, Closable):
            self.inner.close()

    def propose(self, view: StudyView, rng: random.Random) -> Proposal | Pending | None:
        """What the other one proposes; before that, a comment to hand over or to ask for. Neither takes any time."""
        return self._remark(view) or self.inner.propose(view, rng)

    def _remark(self, view: StudyView) -> Pending | None:
        """A thought from which an event follows, so that the other one is asked right after it; else nothing."""
        if self._sent is not None:
            errand, call = self._sent
            if call.heard is None:
                return None
            self._sent = None
            return self._said(errand, call.heard)
        if self._wanted is not None:
            errand, self._wanted = self._wanted, None
            if errand.request.id in view.means.reserved:
                self._sent = errand, self._caller.send(errand.request)
            else:
                self._over = True  # who keeps the budget, or the policy, has said why, in the record
            return None
        if self._over or not self._backoff.over:
            return None
        self._wanted = next(self._errands(view), None)
        if self._wanted is None:
            return None
        if self.settings.replay:
            errand, self._wanted = self._wanted, None
            return self._replayed(errand)
        return Pending(ask=self._wanted.request.asked(COMMENTS))

    def _errands(self, view: StudyView) -> Iterator[CommentTask]:
        """What has not been remarked on: verdicts first. One whose request was lost in a crash is not sent again."""
        for part, claim in self._claims(view):
            key = (part, claim.id, claim.attempt)
            if key in self._done or any(author.startswith(f"{part}:") for author in claim.commented):
                continue
            self._done.add(key)
            request = comment_prompt.request(view, claim, self._model, self.settings.max_tokens)
            if request.id not in view.means.reserved:
                yield CommentTask(claim.id, part, request)

    def _claims(self, view: StudyView) -> Iterator[tuple[str, ClaimView]]:
        if "verdicts" in self.settings.on:
            yield from ((ANALYST, claim) for claim in view.judged)
        if "proposals" in self.settings.on:
            yield from ((CRITIC, claim) for claim in view.registered)

    def _said(self, errand: CommentTask, heard: RawResponse, step: Recorded | None = None) -> Pending:
        """What came back: a comment, or the way in which there is none."""
        words, outcome, cause = _understood(heard)
        replayed = step is not None
        end = settled(errand.request, heard, outcome, cause, templates.COMMENTS_VERSION, replayed=replayed)
        if not words:
            self._backoff.failed(heard.retry_after)
            return Pending(consulted=(end,))
        self._backoff.succeeded()
        remark = Comment(errand.about, f"{errand.part}:{self._model.label}", words, errand.request.id)
        return Pending(consulted=(end,), comments=(remark,))

    def _replayed(self, errand: CommentTask) -> Pending | None:
        """The recorded comment on the same facts; none where they differ, since it was not on these."""
        if self._script is None:
            steps = self.recorded(self.settings.replay) if self.recorded else ()
            self._script = {step.request: step for step in steps if step.outcome is Reply.COMMENT}
        step = self._script.get(errand.request.id)
        return self._said(errand, RawResponse(text=step.reply, charged=False), step) if step else None


def _understood(heard: RawResponse) -> tuple[str, Reply, str]:
    """The comment in what was heard, how the request ended, and why."""
    if heard.outcome is not None:
        return "", heard.outcome, heard.cause
    try:
        return comment_prompt.comment(heard.text), Reply.COMMENT, ""
    except StudyError as error:
        return "", Reply.TRUNCATED if heard.truncated else Reply.MALFORMED, line(str(error), 600)
