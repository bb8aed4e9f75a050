"""Labs made by hand: a ledger that could have been, of any size and with any words in it."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from novum.core.events.campaign import CampaignOpened, IncumbentChanged, SessionEnded, SessionStarted
from novum.core.events.event import Event
from novum.core.events.proposals import HypothesisRegistered
from novum.core.events.trials import CandidateTuned, GroupDispatched, TrialFinished
from novum.core.events.verdicts import ConfirmationOpened, FindingRecorded, VerdictReached
from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.budget import Budget
from novum.core.model.candidate import Candidate, Cost
from novum.core.model.study import GateSettings, ScreeningSettings, Study
from novum.core.model.trial import OutcomeKind
from novum.core.model.trial_plan import Member, Plan, Purpose, Side
from novum.core.model.verdict import Account, Pair, Verdict
from novum.gate.evidence import Recycling, threshold
from novum.gate.judge import BettingGate
from novum.ledger.journal import Journal

KEY = hashlib.sha256(b"a key").digest()


@dataclass
class Script:
    """Writes the events of a campaign: `hypotheses` of them, every `confirm`-th confirmed, `fail` of them failing.

    The metric is a loss (lower is better); a confirmed candidate with a negative `slope` gene is truly better.
    """

    hypotheses: int = 40
    confirm: int = 5
    fail: int = 7
    delta: float = 0.0
    cpu: float = 2.5
    cause: str = "RuntimeError: singular matrix"
    name: str = "made by hand"
    question: str = "Does it get smaller?"
    metric: str = "validation loss"
    word: str = "plain"
    ended: bool = True
    seed: int = 5
    account: Account = field(default_factory=Account)
    groups: int = 0
    trials: int = 0

    def events(self) -> Iterator[Event]:
        rng = random.Random(self.seed)
        gate = GateSettings(delta=self.delta, planned=max(20, self.hypotheses // self.confirm), max_pairs=24)
        study = Study(
            name=self.name,
            arena="by hand",
            question=self.question,
            seed=self.seed,
            options={"note": self.word, "steps": 200, "fast": True},
            screening=ScreeningSettings(fidelity=0.5),
            gate=gate,
        )
        baseline = Candidate({"word": self.word, "slope": 0, "step": 0})
        spec = ArenaSpec("by hand", "?", self.metric, False, 0.001, "nowhere", 8, ({},), baseline.genome)
        versions = {"novum": "0.1", "python": "3.11"}
        yield CampaignOpened(study, spec, "a" * 64, "c" * 64, versions)
        yield SessionStarted(1, Budget(cpu_seconds=5e6, trials=10**6), 2, 4242, "secret-host-name", versions)
        yield IncumbentChanged(baseline, Cost(1000, 64, 2.5e9), None)
        yield from self._screen("b0", baseline, [1.0, 1.02])
        incumbent = baseline
        parents: list[str] = []
        for number in range(1, self.hypotheses + 1):
            slope = _slope(number // self.confirm) if number % self.confirm == 0 else number % 4
            candidate = Candidate({"word": self.word, "slope": slope, "step": number})
            name = f"h{number}"
            chosen = (rng.choice(parents[-10:]),) if parents else ()
            yield HypothesisRegistered(
                name, number, "evolve", candidate, Cost(1000 + number, 64, 2.5e9 + number), incumbent.id,
                self.metric, False, self.delta, chosen, "because", 0.2, 0.1,
            )  # fmt: skip
            if number % self.fail == 0:
                yield from self._screen(name, candidate, None)
                continue
            parents.append(name)
            level = 1.0 + 0.1 * slope
            yield from self._screen(name, candidate, [rng.gauss(level, 0.08) for _ in range(2)])
            if number % self.confirm == 0:
                found = list(self._confirm(name, candidate, incumbent, gate, rng))
                yield from found
                if any(isinstance(one, IncumbentChanged) for one in found):
                    incumbent = candidate
                    yield from self._screen(name, candidate, None, measured=False)
        if self.ended:
            yield SessionEnded(1, "budget: all of it used", 0.5 * self.trials)

    def _run(
        self, purpose: Purpose, subject: str, side: Side, candidate: Candidate, scores: list[float | None], **more: int
    ) -> Iterator[Event]:
        self.groups += 1
        start = more.pop("start", 0)
        members = tuple(Member(start + i, {}) for i in range(len(scores)))
        plan = Plan(f"g{self.groups}", purpose, subject, side, candidate, members, **more)  # type: ignore[arg-type]
        yield GroupDispatched(plan, 1, 0.5 * self.trials)
        for i, score in enumerate(scores):
            self.trials += 1
            kind = (
                OutcomeKind.SCORED
                if score is not None
                else [OutcomeKind.CRASHED, OutcomeKind.DIVERGED, OutcomeKind.TIMED_OUT][self.trials % 3]
            )
            cause = "" if score is not None else f"{self.cause} ({self.groups % 30})"
            yield TrialFinished(
                f"{plan.id}.{i}", plan.id, i, kind, score, cause, None, self.cpu, self.cpu, 1 << 20, 0.5 * self.trials
            )

    def _screen(
        self, subject: str, candidate: Candidate, scores: list[float] | None, *, measured: bool = True
    ) -> Iterator[Event]:
        if measured:
            yield from self._run(Purpose.SCREEN, subject, Side.CANDIDATE, candidate, list(scores or [None, 0.9]))
            mean = sum(scores) / len(scores) if scores else None
            yield CandidateTuned(candidate.id, {}, mean, (mean,), 3)

    def _confirm(
        self, name: str, candidate: Candidate, incumbent: Candidate, gate: GateSettings, rng: random.Random
    ) -> Iterator[Event]:
        book = Recycling(gate)
        stake = book.open(self.account)
        bar = threshold(gate.alpha, stake.amount, self.account.discoveries)
        rule = ConfirmationOpened(
            name, 1, "a" * 64, candidate, incumbent, {}, {}, "betting", "loss", False, False, self.delta, 0.2, 0.1, 0.1,
            gate.alpha, gate.beta, gate.max_pairs, gate.refute_pairs, stake.account.opened, stake.amount,
            stake.account.cash, bar, (), hashlib.sha256(KEY).hexdigest(),
        )  # fmt: skip
        yield rule
        level, other_level = (1.0 + 0.1 * float(one.genome["slope"]) for one in (candidate, incumbent))
        pairs: list[Pair] = []
        while not (now := BettingGate(gate).judge(rule, pairs, len(pairs), self.account.discoveries)).verdict:
            mine = [rng.gauss(level, 0.07) for _ in range(4)]
            other = [rng.gauss(other_level, 0.07) for _ in range(4)]
            for side, who, scores in ((Side.CANDIDATE, candidate, mine), (Side.INCUMBENT, incumbent, other)):
                yield from self._run(Purpose.CONFIRM, name, side, who, list(scores), attempt=1, start=len(pairs))
            pairs += [Pair(one, two) for one, two in zip(mine, other, strict=True)]
        accepted = now.verdict is Verdict.SUPPORTED
        self.account = book.close(stake.account, stake.amount, now.e_value, now.threshold, accepted=accepted)
        refund = self.account.cash - stake.account.cash
        yield VerdictReached(
            name, 1, now.verdict, now.reason, now.pairs, now.e_value, now.threshold, now.against, now.crashes,
            now.mean, (), refund, self.account.cash, self.account.discoveries, None if accepted else KEY.hex(),
        )  # fmt: skip
        if accepted:
            yield IncumbentChanged(candidate, Cost(1234, 64, 2.5e9), name)
            effect = other_level - level + 0.01
            interval = None if self.account.discoveries == 2 else (effect - 0.08, effect + 0.09)
            yield FindingRecorded(name, 1, effect, interval, 0.9, 8, KEY.hex())


def _slope(number: int) -> int:
    """Three of the confirmed candidates improve on each other; the others are worse than the start."""
    return {1: -1, 4: -4, 7: -7}.get(number, number % 3)


def write_lab(directory: Path, script: Script) -> Path:
    """A lab on disk with the events of a script."""
    with Journal(directory) as journal:
        journal.append(script.events(), durable=True)
    return directory


@pytest.fixture(scope="session")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished campaign with findings, failures and refutations."""
    return write_lab(tmp_path_factory.mktemp("lab"), Script())


@pytest.fixture(scope="session")
def make_lab() -> Callable[..., Path]:
    """Writes the lab of a Script with the given fields."""
    return lambda directory, **fields: write_lab(directory, Script(**fields))


@pytest.fixture(scope="session")
def events_of() -> Callable[..., list[Event]]:
    """The events of a Script with the given fields."""
    return lambda **fields: list(Script(**fields).events())
