"""The ports: what the loop asks of the other rooms. Variants do not inherit from them.

A variant is any object with these methods; the static type checker and one contract suite per port hold it to them.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from novum.core.events import ConfirmationOpened, Event, ProposalMade, Record, Remark
    from novum.core.judgement import Account, Estimate, Judgement, Pair, Share, Spent, Stake
    from novum.core.nouns import Card, Cost, Genome, GroupResult, Role, Score, Trial, TrialGroup
    from novum.core.state import State
    from novum.core.view import Proposal, StudyView, Thought


class Researcher(Protocol):
    """Proposes hypotheses. It sees the study and its past, never a confirmation seed or a key."""

    def propose(self, view: StudyView, rng: random.Random) -> Proposal | Thought | None:
        """One hypothesis, a thought while there is none yet, or None when it has nothing to try.

        All randomness comes from `rng`. It must not take long: whoever asks a model does so in the background.
        """
        ...


class CandidateSpace(Protocol):
    """The candidates that an arena admits: genomes of typed genes (`nouns.Space`), or source trees."""

    def validate(self, genome: Genome) -> Genome:
        """The normal form of `genome`. Raises StudyError when it is not admitted."""
        ...

    def key(self, genome: Genome) -> str:
        """A digest, equal for genomes that cannot behave differently."""
        ...

    def sample(self, rng: random.Random) -> Genome:
        """A random candidate, in normal form."""
        ...

    def mutate(self, genome: Genome, rng: random.Random) -> Genome:
        """`genome` with one random change, in normal form; itself when none was found."""
        ...


class Arena(Protocol):
    """A problem: its card and candidate space, what a candidate costs, and the trusted score of an artefact."""

    @property
    def card(self) -> Card: ...

    @property
    def space(self) -> CandidateSpace: ...

    def score(self, group: TrialGroup, trial: Trial, artefact: bytes) -> Score:
        """The metrics, computed from the artefact and from data the worker never sends. Raises ArtefactError."""
        ...

    def cost(self, genome: Genome) -> Cost:
        """Cost of one full trial of `genome` by construction. Raises StudyError when the arena does not admit it."""
        ...


class DeclaresExamples(Protocol):
    """What an arena may add, so that the preflight can look for leaks."""

    def examples(self, group: TrialGroup, trial: Trial) -> Mapping[str, Set[str]]:
        """Digests of the examples that a trial learns from ("train") and is scored on ("scored", by `group.role`)."""
        ...


class HasData(Protocol):
    """What an arena adds that reads files: their hashes are part of the provenance of every session."""

    def data_hashes(self) -> Mapping[str, str]:
        """SHA-256 of each data file, by name."""
        ...


class HidesFiles(Protocol):
    """What an arena adds whose candidates are programs, so that the critic knows what none of them may look for."""

    def hidden_files(self) -> Set[str]:
        """Names of files that no candidate may see: by path, and by bare name where that means nothing else."""
        ...


class Executor(Protocol):
    """Runs trial groups somewhere, in any order. A trial that fails is a delivery; only the executor itself raises."""

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


class Ledger(Protocol):
    """The append-only record. Only one process may append; anybody may read."""

    def append(self, events: Iterable[Event], *, durable: bool) -> Sequence[Record]:
        """Append in order and return the records. `durable`: on disk when this returns, else within 50 ms."""
        ...

    def read(self, after: int = 0) -> Iterable[Record]:
        """Records with a sequence number greater than `after`, in order."""
        ...


class Blobs(Protocol):
    """Content-addressed bytes beside the ledger."""

    def put(self, data: bytes) -> str:
        """Store `data` once; returns its SHA-256 in hexadecimal."""
        ...

    def get(self, address: str) -> bytes:
        """The bytes of an address, checked against it. Raises IntegrityError when missing or altered."""
        ...


class Gate(Protocol):
    """Whether we believe it: pure functions of a registered rule and paired outcomes."""

    def judge(self, rule: ConfirmationOpened, pairs: Sequence[Pair], judged: int, discoveries: int) -> Judgement:
        """Verdict on the pairs in order; `judged` of them were seen by an earlier call that said: go on."""
        ...

    def estimate(self, rule: ConfirmationOpened, pairs: Sequence[Pair]) -> Estimate:
        """Effect and interval from pairs that the verdict did not use."""
        ...


class Evidence(Protocol):
    """What an acceptance costs: the campaign-wide ledger of evidence."""

    def open(self, account: Account) -> Stake:
        """The stake of the next confirmation."""
        ...

    def close(self, account: Account, stake: float, e_value: float, bar: float, *, accepted: bool) -> Account:
        """The account after a confirmation with this stake ended at `e_value` against threshold `bar`."""
        ...


class Steward(Protocol):
    """Keeps the holdout: nobody else reads the final data."""

    def answers(self, state: State) -> Sequence[Event]:
        """Answers to queries that are paid for, and the closing when none is left; empty when nothing is owed."""
        ...


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


class Watchdog(Protocol):
    """Looks after a running lab: what goes wrong, runs away or is too good to be true."""

    def look(self, state: State, elapsed: float) -> Sequence[Event]:
        """What has to be done now, as events; empty nearly always. elapsed: seconds of the session by now."""
        ...


class Critic(Protocol):
    """Looks at a proposal before anything is spent on it. Pure: the same state and proposal get the same remarks."""

    def review(self, state: State, proposal: ProposalMade, cost: Cost) -> Sequence[Remark]:
        """What is to be said of it; a remark that refuses is reason enough not to try it."""
        ...
