"""Ports that need no record: researchers, arenas and their optional powers, executors, blobs, budgets.

A variant is any object with these methods; the type checker and one contract suite per port hold it to them.
Variants do not inherit from a port.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Protocol, runtime_checkable

from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.budget import Share, Spent
from novum.core.model.candidate import CandidateSpace, Cost, Genome, Setting
from novum.core.model.hardware import Machine, Recheck
from novum.core.model.metric import Score
from novum.core.model.proposal import Pending, Proposal
from novum.core.model.request import Request
from novum.core.model.study_view import StudyView
from novum.core.model.trial import GroupResult, Role, Trial, TrialGroup, TrialOutput
from novum.core.model.verdict import Account, Stake


class Researcher(Protocol):
    """Proposes hypotheses. It sees the study and its past, never a confirmation seed or a key."""

    def propose(self, view: StudyView, rng: random.Random) -> Proposal | Pending | None:
        """One hypothesis, Pending while there is none yet, or None when it has nothing to try.

        All randomness comes from `rng`. It must not take long: whoever asks a model does so in the background.
        """
        ...


@runtime_checkable
class WorksInBackground(Protocol):
    """What a researcher adds that asks somebody else, a model or people."""

    @property
    def pending(self) -> bool:
        """Whether something is on its way that may become a proposal."""
        ...


@runtime_checkable
class SharesTurns(Protocol):
    """What such a researcher adds that can be one of several."""

    def share_turns(self) -> None:
        """From now on, ask at most once for each turn."""
        ...

    def fetch(self, view: StudyView) -> Proposal | Pending | None:
        """What is in, out of turn: nothing new is asked."""
        ...


@runtime_checkable
class Closable(Protocol):
    """What anything adds that keeps something running beside the lab."""

    def close(self) -> None:
        """End it; harmless when repeated."""
        ...


@runtime_checkable
class SearchedInBulk(Protocol):
    """What a candidate space adds that has a search of its own, of so many candidates that none can be recorded.

    `searcher` is a module that runs as a program (`python -m`): it reads a request and writes its finds as lines of
    JSON, see `novum.researchers.bulk`. `search_options` are what it needs to know of the study.
    """

    @property
    def searcher(self) -> str: ...

    @property
    def search_options(self) -> Setting: ...


@runtime_checkable
class ComputesOnly(Protocol):
    """What a candidate space adds whose candidates can do nothing but compute what the arena reads.

    None of them can trick a scorer, so a great gain is no reason to keep one back.
    """

    @property
    def computes_only(self) -> bool: ...


class Arena(Protocol):
    """A problem: its spec and candidate space, what a candidate costs, and the trusted score of an artefact."""

    @property
    def spec(self) -> ArenaSpec: ...

    @property
    def space(self) -> CandidateSpace: ...

    def score(self, group: TrialGroup, trial: Trial, artefact: bytes) -> Score:
        """The metrics, computed from the artefact and from data the worker never sends. Raises ArtefactError."""
        ...

    def cost(self, genome: Genome) -> Cost:
        """Cost of one full trial of `genome` by construction. Raises StudyError when the arena does not admit it."""
        ...


@runtime_checkable
class DeclaresExamples(Protocol):
    """What an arena may add, so that the preflight can look for leaks."""

    def examples(self, group: TrialGroup, trial: Trial) -> Mapping[str, Set[str]]:
        """Digests of the examples that a trial learns from ("train") and is scored on ("scored", by `group.role`)."""
        ...


@runtime_checkable
class MakesTruth(Protocol):
    """What an arena adds whose truth a script makes from a seed, so that the preflight can try to make it as well."""

    def guessed(self, group: TrialGroup, trial: Trial) -> Sequence[str]:
        """Seeds that a candidate could guess and that give the truth of this trial, in words; empty when none does.

        Raises ArtefactError where the script fails.
        """
        ...


@runtime_checkable
class HasData(Protocol):
    """What an arena adds that reads files: their hashes are part of the provenance of every session."""

    def data_hashes(self) -> Mapping[str, str]:
        """SHA-256 of each data file, by name."""
        ...


@runtime_checkable
class HidesFiles(Protocol):
    """What an arena adds whose candidates are programs, so that the critic knows what none of them may look for."""

    def hidden_files(self) -> Set[str]:
        """Names of files that no candidate may see: by path, and by bare name where that means nothing else."""
        ...


@runtime_checkable
class NeedsSandbox(Protocol):
    """What an arena adds whose trials run foreign code."""

    @property
    def isolation(self) -> str:
        """The weakest sandbox tier that its trials may run in; empty for any."""
        ...


@runtime_checkable
class DescribesIsolation(Protocol):
    """What an executor's class adds: what stands between its trials and the machine, for the record."""

    isolation: str


@runtime_checkable
class HandsOutGpus(Protocol):
    """What the class of an executor adds that gives each group the GPUs that it holds: it takes `gpus`, a pool."""

    hands_out_gpus: bool


@runtime_checkable
class OpensDoor(Protocol):
    """What the class of an executor adds that machines dial in to: it takes `door`, `requires` and `depends`."""

    opens_door: bool


class WorkerProgram(Protocol):
    """What the module that an arena's spec names offers to a worker."""

    def run(self, group: TrialGroup) -> Sequence[TrialOutput]:
        """One output per trial, in their order."""
        ...


@runtime_checkable
class WarmsUp(Protocol):
    """What such a module adds that can do a part of every trial's work once, before workers fork."""

    def warm(self) -> None:
        """Import and build what every trial needs; start no thread that stays, and read no secret."""
        ...


class Executor(Protocol):
    """Runs trial groups somewhere, in any order. A trial that fails is an output; only the executor itself raises."""

    @property
    def slots(self) -> int:
        """How many groups are worth having in flight."""
        ...

    def submit(self, group: TrialGroup) -> None:
        """Accept a group; returns at once or after the group has run."""
        ...

    def collect(self, timeout: float) -> Sequence[GroupResult]:
        """Groups that ended, waiting at most `timeout` seconds for the first one."""
        ...


@runtime_checkable
class ShowsProgress(Protocol):
    """What an executor adds whose running trials can be looked at from outside."""

    def show_progress_in(self, directory: Path) -> None:
        """Have trials write their latest readings below this directory, from now on."""
        ...


@runtime_checkable
class HasMachines(Protocol):
    """What an executor adds whose trials run on machines that come and go; `slots` then changes with them."""

    @property
    def machines(self) -> Mapping[str, Machine]:
        """Those that are here now, by their ids."""
        ...

    def why_gone(self, machine: str) -> str:
        """Why one that was here is not any more."""
        ...

    def rechecks(self) -> Sequence[Recheck]:
        """What runs again on other machines have shown since this was asked last."""
        ...

    def drain(self, machine: str, reason: str, *, now: bool = False) -> bool:
        """Give one no more groups; now: take away what it has. False where it is not here."""
        ...


class Blobs(Protocol):
    """Content-addressed bytes beside the ledger."""

    def put(self, data: bytes) -> str:
        """Store `data` once; returns its SHA-256 in hexadecimal."""
        ...

    def get(self, address: str) -> bytes:
        """The bytes of an address, checked against it. Raises IntegrityError when missing or altered."""
        ...


class Evidence(Protocol):
    """What an acceptance costs: the campaign-wide ledger of evidence."""

    def open(self, account: Account) -> Stake:
        """The stake of the next confirmation."""
        ...

    def close(self, account: Account, stake: float, e_value: float, bar: float, *, accepted: bool) -> Account:
        """The account after a confirmation with this stake ended at `e_value` against threshold `bar`."""
        ...


@runtime_checkable
class AnswersByExample(Protocol):
    """What an arena with fixed data adds, so that its final data can be asked."""

    def per_example(self, group: TrialGroup, trial: Trial, artefact: bytes, role: Role) -> Sequence[float]:
        """Correctness in [0, 1] on each example of the part of `role`, in a fixed order. Raises ArtefactError."""
        ...


class Governor(Protocol):
    """What is allowed: by the budget of the lab, and by those of authors and hypotheses within it."""

    def refuses(self, spent: Spent, demand: Spent) -> str | None:
        """Why `demand` may not be added to what the lab has spent, or None when it may."""
        ...

    def refuses_share(self, share: Share, demand: Spent) -> str | None:
        """Why `demand` may not be added to somebody's share, or None when it may."""
        ...


class RequestSource(Protocol):
    """Where requests come from."""

    def waiting(self) -> list[Request]:
        """Those that have not been taken yet, oldest first."""
        ...

    def done(self, request: Request) -> None:
        """A request is in the record."""
        ...
