"""Small labs for tests: coin-flip studies run inline, in memory or on disk."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import scripted_program

from novum.core.engine.context import Campaign
from novum.core.engine.decide import decide
from novum.core.engine.loop import Lab
from novum.core.events.campaign import SessionEnded
from novum.core.events.trials import GroupDispatched, TrialFinished
from novum.core.model.arena_spec import ArenaSpec, Controls
from novum.core.model.budget import Budget
from novum.core.model.candidate import Cost, Gene, Space
from novum.core.model.metric import Score
from novum.core.model.study import GateSettings, ScreeningSettings, Study
from novum.core.model.trial import ArtefactError, OutcomeKind, TrialGroup, TrialOutput
from novum.core.state.campaign_state import CampaignState
from novum.core.state.fold import apply, fold
from novum.core.state.hypothesis import Hypothesis
from novum.core.state.trial_costs import TrialPrices
from novum.executors.inline import InlineExecutor
from novum.lab import open_campaign, wiring
from novum.ledger.codec import plain
from novum.ledger.lab_secret import NAME
from novum.ledger.memory_blobs import MemoryBlobs
from novum.ledger.private import created
from novum.testing.memory_ledger import MemoryLedger
from novum.text.canonical_json import canonical

SECRET = bytes(range(32))


def coin_study(**changes) -> Study:
    values = {
        "name": "coins",
        "arena": "coinflip",
        "executor": "inline",
        "gate": GateSettings(planned=20, refute_pairs=10),
        "screening": ScreeningSettings(),
    }
    return Study(**{**values, **changes})


def in_memory(
    study: Study,
    budget: Budget,
    *,
    arena=None,
    executor=None,
    ledger=None,
    slots=1,
    secret=SECRET,
    researcher=None,
) -> Lab:
    """A lab in memory with the session begun; the same secret each time."""
    ledger = ledger or MemoryLedger()
    context = wiring.context(study, budget, secret, slots, arena, researcher)
    state = fold(record.event for record in ledger.read())
    open_campaign.take_up(state, ledger, context, budget)
    place = executor or InlineExecutor(context.arena.spec.program)
    return Lab(Campaign(state, context), ledger, MemoryBlobs(), place)


def finished(study: Study, trials: int = 600, **changes) -> Lab:
    """A lab whose session has ended by its budget."""
    lab = in_memory(study, Budget(trials=trials), **changes)
    lab.run()
    return lab


@cache
def past(trials: int) -> Lab:
    """A lab of coins whose session has ended, made once: to be read, not used."""
    return finished(coin_study(), trials)


def events(lab: Lab) -> list:
    return [record.event for record in lab.ledger.read()]


def sealed(directory: Path) -> Path:
    """A lab's directory with a secret in it before there is a lab: what is found there does not depend on chance."""
    assert created(directory / NAME, b"5e" * 32)
    return directory


def foretold(lab: Lab, others=()) -> int:
    """Hold every decision on record, but for events of `others`, to what `decide` says of the state before it."""
    state, expected, checked = CampaignState(), [], 0
    for event in events(lab):
        if isinstance(event, TrialFinished) or event in others:
            assert not expected
        elif state.session and not isinstance(event, SessionEnded):
            expected = expected or decide(Campaign(state, lab.context))
            predicted = expected.pop(0)
            if isinstance(event, GroupDispatched):
                predicted = replace(predicted, elapsed=event.elapsed)
            assert predicted == event
            checked += 1
        apply(state, event)
    return checked


def same(one: CampaignState, other: CampaignState) -> bool:
    """Whether two states are equal in everything they hold."""
    return _plain(one) == _plain(other)


def _plain(state: CampaignState) -> bytes:
    """Everything a state holds in canonical JSON: the order of keys and 1 against 1.0 make no difference."""
    return canonical(plain({name: _listed(value) for name, value in vars(state).items()}))


def _listed(value):
    if isinstance(value, dict):
        return {str(key): _listed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_listed(item) for item in value]
    if isinstance(value, Hypothesis):
        # Its ground is a hypothesis like any other, which is compared in its own place.
        return [replace(value, ground=None), value.ground.id if value.ground else None]
    if isinstance(value, TrialPrices):
        return [*value.latest, value.largest]
    return sorted(value) if isinstance(value, set) else value


@dataclass
class ScriptedArena:
    """An arena whose candidates do what their gene `act` says, and whose score is one byte. For tests of the loop."""

    acts: dict[str, object] = field(default_factory=dict)
    tuning: tuple = ({},)
    ceiling: float | None = None
    controls: Controls = field(default_factory=Controls)

    @property
    def spec(self) -> ArenaSpec:
        return ArenaSpec(
            name="scripted",
            question="What happens when trials fail?",
            metric="points",
            higher_is_better=True,
            resolution=0.01,
            program="scripted_program",
            floor=0.0,
            ceiling=self.ceiling,
            controls=self.controls,
            group_size=4,
            tuning=self.tuning,
            baseline={"act": "score", "level": 0},
        )

    @property
    def space(self) -> Space:
        return Space((Gene("act", ("score", "raise", "nonsense", "diverge", "nan")), Gene("level", tuple(range(40)))))

    def score(self, group, trial, artefact: bytes) -> Score:
        if artefact == b"nan":
            return Score(float("nan"))
        if len(artefact) != 2:
            raise ArtefactError(f"expected 2 bytes, got {len(artefact)}")
        return Score(int.from_bytes(artefact, "little") / 1000)

    def cost(self, genome) -> Cost:
        return Cost(parameters=1)


class Flaky:
    """An executor double that returns scripted outputs; `plan(group)` gives the outputs of a group."""

    slots = 1

    def __init__(self, plan) -> None:
        self._plan = plan
        self._queue: list[TrialGroup] = []
        self.seen: list[TrialGroup] = []

    def submit(self, group: TrialGroup) -> None:
        self._queue.append(group)
        self.seen.append(group)

    def collect(self, timeout: float):
        from novum.core.model.trial import GroupResult, Usage

        done = [GroupResult(g, tuple(self._plan(g)), Usage(0.01 * len(g.trials), 0.01, 1000)) for g in self._queue]
        self._queue.clear()
        return done


def failing(group: TrialGroup, kind: OutcomeKind, cause: str = "scripted") -> list[TrialOutput]:
    return [TrialOutput(trial.id, failure=kind, cause=cause) for trial in group.trials]


def scored(group: TrialGroup) -> list[TrialOutput]:
    """What the shipped worker program of these tests delivers."""
    return scripted_program.run(group)
