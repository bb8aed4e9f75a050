"""Doubles that spend: an executor whose costs are random and heavy-tailed, and a researcher that asks models."""

from __future__ import annotations

import dataclasses
import random
from dataclasses import dataclass, field

from labs import ScriptedArena
from scripted_program import run

from novum.core.engine.context import LOOK_SECONDS
from novum.core.model.metric import Score
from novum.core.model.model_call import ModelCall, ModelRequest, Reply
from novum.core.model.proposal import Pending, Proposal
from novum.core.model.trial import GroupResult, OutcomeKind, TrialGroup, TrialOutput, Usage

AUTHORS = ("ann", "bot:one", "bot:two")


class Heavy(ScriptedArena):
    """Artefacts of any size, trials that hold a GPU, and fixed data, so that there is a holdout to ask."""

    @property
    def spec(self):
        return dataclasses.replace(super().spec, gpus=1, fixed_data=True)

    def score(self, group, trial, artefact: bytes) -> Score:
        return super().score(group, trial, artefact[:2])


@dataclass
class Spender:
    """The Executor port in simulated time. It holds groups to their limits, as workers do, and crashes at random."""

    rng: random.Random
    slots: int = 2
    now: float = 0.0
    _running: list[tuple[float, GroupResult]] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def submit(self, group: TrialGroup) -> None:
        wanted = 0.05 * len(group.trials) * self.rng.paretovariate(0.8)
        limits = group.limits
        allowed = limits.cpu_seconds if limits.cpu_seconds is not None else limits.seconds
        unseen = self.rng.random() * LOOK_SECONDS
        used = min(wanted, allowed + unseen)
        wall = min(used * (0.5 + self.rng.random()), limits.seconds)
        result = GroupResult(group, tuple(self._outputs(group, over=wanted > used)), Usage(used, wall, 1000))
        self._running.append((self.now + wall, result))

    def _outputs(self, group: TrialGroup, *, over: bool) -> list[TrialOutput]:
        first = group.candidate.genome["level"] == 0  # a baseline that fails is the study's fault
        if over and not first:
            return [TrialOutput(one.id, failure=OutcomeKind.TIMED_OUT, cause="too long") for one in group.trials]
        if self.rng.random() < 0.15 and not first:
            kind = self.rng.choice([OutcomeKind.CRASHED, OutcomeKind.LOST, OutcomeKind.DIVERGED])
            return [TrialOutput(one.id, failure=kind, cause="bad luck") for one in group.trials]
        return [dataclasses.replace(one, artefact=(one.artefact or b"") + bytes(self._size())) for one in run(group)]

    def _size(self) -> int:
        return min(60_000, int(60 * self.rng.paretovariate(0.6)))

    def collect(self, timeout: float):
        due = min((end for end, _ in self._running), default=self.now + timeout)
        self.now = max(self.now, min(due, self.now + timeout))
        done = [result for end, result in self._running if end <= self.now]
        self._running = [one for one in self._running if one[0] > self.now]
        return done


@dataclass
class Thinker:
    """The Researcher port: several authors, each of whom asks a model before some of its ideas."""

    rng: random.Random
    waits: tuple[str, ModelRequest] | None = None

    def propose(self, view, rng):
        rng = self.rng  # nothing else changes while it only talks to models
        if self.waits is not None:
            author, ask = self.waits
            self.waits = None
            if ask.request not in view.means.reserved:
                return self._idea(view, rng, author, ())
            return self._answered(view, rng, author, ask)
        author = rng.choice(AUTHORS)
        if rng.random() < 0.4:
            tokens = rng.randrange(1, 2000)
            ask = ModelRequest(f"{view.number}.{rng.random()}", "local", author, tokens, tokens * 1e-4)
            self.waits = author, ask
            return Pending(ask=ask)
        return self._idea(view, rng, author, ())

    def _answered(self, view, rng, author, ask):
        used = rng.randrange(ask.tokens + 1)
        outcome = rng.choice([Reply.PROPOSAL, Reply.MALFORMED, Reply.TIMED_OUT])
        said = ModelCall(ask.request, ask.model, outcome, input_tokens=used, money=used * 1e-4)
        return self._idea(view, rng, author, (said,)) if outcome is Reply.PROPOSAL else Pending(consulted=(said,))

    def _idea(self, view, rng, author, consulted):
        genome = {"level": rng.randrange(40), "act": rng.choice(["score", "nan", "raise"])}
        return Proposal(view.space.validate(genome), "because", author=author, consulted=consulted)
