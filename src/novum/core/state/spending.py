"""Who has used what: the lab, each author and each hypothesis. A part of the state, folded from its events alone.

A trial is paid by the hypothesis that it serves, and by that one's author; what serves no single one (the incumbent's
own sweep, its noise, ablations) by the lab alone. What has been dispatched counts at what was set aside for it until
it lands; a session that starts anew has nothing in flight, so what was set aside for trials that died is free again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from novum.core.events.models_and_people import ModelAsked, ModelReplied
from novum.core.events.proposals import HypothesisRegistered, ProposalMade
from novum.core.events.trials import GroupDispatched
from novum.core.events.trials import TrialFinished as Trial
from novum.core.model.budget import Spent
from novum.core.model.identity import fits
from novum.core.model.trial_plan import Plan, Purpose

NOTHING = Spent()


@dataclass(frozen=True, slots=True)
class Payer:
    """Whose budget a trial counts against, beside the lab's."""

    hypothesis: str
    author: str


TICKS = 1 << 40
"""Of a second: whole numbers, of which nothing is left when what was added is taken away again."""


@dataclass
class Flying:
    """What all groups in flight may use together. cpu, gpu: in ticks."""

    trials: int = 0
    cpu: int = 0
    gpu: int = 0

    def add(self, aside: Spent, sign: int) -> None:
        """A group leaves (1) or lands (-1)."""
        self.trials += sign * aside.trials
        self.cpu += sign * round(aside.cpu_seconds * TICKS)
        self.gpu += sign * round(aside.gpu_seconds * TICKS)


@dataclass
class Spending:
    """What was used, in all and by author and hypothesis."""

    lab: Spent = NOTHING
    """What only the totals of this part know (GPU, disk, holdout, searches outside the record)."""
    authors: dict[str, Spent] = field(default_factory=dict)
    hypotheses: dict[str, Spent] = field(default_factory=dict)
    """This and `authors`: what is used."""
    since_proposal: dict[str, Spent] = field(default_factory=dict)
    """Tokens and money of an author since its last proposal: they belong to the next one."""
    searched: int = 0
    """Candidates tried outside the record."""
    flights: dict[str, tuple[Payer | None, Spent]] = field(default_factory=dict)
    _flying: Flying = field(default_factory=Flying)
    _payers: dict[str, Payer] = field(default_factory=dict)
    _asked: dict[str, ModelAsked] = field(default_factory=dict)

    def payer(self, plan: Plan) -> Payer | None:
        """Who pays for a plan; None: the lab alone."""
        return None if plan.purpose is Purpose.CALIBRATE else self._payers.get(plan.subject)

    def of(self, hypothesis: str) -> Payer | None:
        """Who pays for what a hypothesis, or the sweep of a candidate, still needs."""
        return self._payers.get(hypothesis)

    def registered(self, event: HypothesisRegistered) -> None:
        """From now on the hypothesis pays for itself, and for the sweep of its candidate if nobody did before."""
        payer = self._payers[event.id] = Payer(event.id, event.author)
        self._payers.setdefault(event.candidate.id, payer)

    def dispatched(self, event: GroupDispatched) -> None:
        """Set aside what a group may use."""
        aside = Spent(trials=len(event.plan.members), cpu_seconds=event.cpu_seconds, gpu_seconds=event.gpu_seconds)
        self.flights[event.plan.id] = self.payer(event.plan), aside
        self._flying.add(aside, 1)

    def finished(self, event: Trial, plan: Plan, gpus: int) -> None:
        """Settle one trial."""
        share = event.wall_seconds / len(plan.members)
        used = Spent(1, event.cpu_seconds, gpu_seconds=gpus * share, disk_bytes=event.stored_bytes)
        if used.gpu_seconds or used.disk_bytes:
            self.lab += Spent(gpu_seconds=used.gpu_seconds, disk_bytes=used.disk_bytes)
        if payer := self.payer(plan):
            self._charge(payer.author, used)
            self.hypotheses[payer.hypothesis] = self.hypotheses.get(payer.hypothesis, NOTHING) + used

    def landed(self, group: str) -> None:
        """A group is complete: nothing is set aside for it any more."""
        if gone := self.flights.pop(group, None):
            self._flying.add(gone[1], -1)

    def asked(self, event: ModelAsked) -> None:
        """Set aside what a request to a model may cost."""
        self._asked[event.request] = event

    def replied(self, event: ModelReplied) -> None:
        """Settle a request to a model."""
        asked = self._asked.pop(event.request, None)
        if asked:
            used = Spent(tokens=event.input_tokens + event.output_tokens, money=event.money)
            self._charge(asked.author, used)
            self.since_proposal[asked.author] = self.since_proposal.get(asked.author, NOTHING) + used

    def proposed(self, event: ProposalMade) -> None:
        """What an author has thought of up to now belongs to this proposal, as does a search that led to it."""
        self.searched += event.searched
        if event.search_seconds:
            used = Spent(cpu_seconds=event.search_seconds)
            self.lab += used
            self._charge(event.author, used)
        for author in [one for one in self.since_proposal if event.author.startswith(one)]:
            del self.since_proposal[author]

    def queried(self, hypothesis: str) -> None:
        """The holdout was asked about a finding."""
        used = Spent(holdout_queries=1)
        self.lab += used
        if payer := self._payers.get(hypothesis):
            self._charge(payer.author, used)
            self.hypotheses[hypothesis] = self.hypotheses.get(hypothesis, NOTHING) + used

    def ended(self) -> None:
        """The session is over: nothing is in flight."""
        self.flights.clear()
        self._flying = Flying()

    def by_authors(self, pattern: str) -> Spent:
        """Used and set aside by all authors whose name fits `pattern`, which may hold * and ?."""
        done = [used for name, used in self.authors.items() if fits(name, pattern)]
        flying = [aside for payer, aside in self.flights.values() if payer and fits(payer.author, pattern)]
        return sum([*done, *flying, *self._awaited(pattern)], NOTHING)

    def by_hypothesis(self, name: str) -> Spent:
        """Used and set aside by one hypothesis."""
        flying = [aside for payer, aside in self.flights.values() if payer and payer.hypothesis == name]
        return sum(flying, self.hypotheses.get(name, NOTHING))

    def by_next_proposal(self, author: str) -> Spent:
        """Tokens and money that an author has used, or set aside, for the next proposal."""
        return sum(self._awaited(author), self.since_proposal.get(author, NOTHING))

    @property
    def in_flight(self) -> Spent:
        """Set aside for all groups in flight."""
        now = self._flying
        return Spent(trials=now.trials, cpu_seconds=now.cpu / TICKS, gpu_seconds=now.gpu / TICKS)

    def _awaited(self, pattern: str) -> Iterator[Spent]:
        for one in self._asked.values():
            if fits(one.author, pattern):
                yield Spent(tokens=one.tokens, money=one.money)

    def _charge(self, author: str, used: Spent) -> None:
        self.authors[author] = self.authors.get(author, NOTHING) + used
