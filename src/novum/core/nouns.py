"""The nouns that cross the walls between rooms: candidates, trials and what comes back from them.

All are frozen; a genome is a mapping from gene name to scalar and is never changed in place.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Annotated, Any, ClassVar

from annotated_types import Gt, Le

from novum.core.errors import StudyError
from novum.core.ids import digest

Scalar = str | int | float | bool
Genome = Mapping[str, Scalar]
Setting = Mapping[str, Scalar]


class Role(StrEnum):
    """Which part of an arena's data a trial is scored on, where the arena keeps its data in parts.

    Search data may be used freely; gate data decide confirmations; final data are asked through the holdout only.
    """

    SEARCH = "search"
    GATE = "gate"
    FINAL = "final"


class Kind(StrEnum):
    """How a trial ended. Only `scored` carries a score; nothing else is ever turned into a number."""

    SCORED = "scored"
    DIVERGED = "diverged"
    CRASHED = "crashed"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    TAMPERED = "tampered"
    LOST = "lost"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Gene:
    """One choice of a candidate space: its name, the values it may take, and what it means."""

    name: str
    choices: tuple[Scalar, ...]
    doc: str = ""


def _as_is(genome: Genome) -> Genome:
    return genome


@dataclass(frozen=True)
class Space:
    """The candidates an arena admits: typed genes, and a normal form for genomes that mean the same.

    `canonical` maps a complete genome to its normal form (genes without effect get their first choice).
    """

    genes: tuple[Gene, ...]
    canonical: Callable[[Genome], Genome] = _as_is

    def validate(self, genome: Genome) -> Genome:
        """The normal form of `genome`; missing genes get their first choice. Raises StudyError."""
        known = {gene.name: gene for gene in self.genes}
        if unknown := sorted(set(genome) - set(known)):
            raise StudyError(f"unknown gene {unknown[0]!r}: choose from {', '.join(known)}")
        full: dict[str, Scalar] = {gene.name: gene.choices[0] for gene in self.genes}
        for name, value in genome.items():
            full[name] = _choice(known[name], value)
        return dict(self.canonical(full))

    def key(self, genome: Genome) -> str:
        """Equal for genomes that are the same candidate: the id, as the normal form leaves nothing else alike."""
        return Candidate(self.validate(genome)).id

    def sample(self, rng: random.Random) -> Genome:
        """A genome with every gene drawn uniformly from its choices, in normal form."""
        return self.validate({gene.name: rng.choice(gene.choices) for gene in self.genes})

    def mutate(self, genome: Genome, rng: random.Random) -> Genome:
        """`genome` with one gene changed, in normal form.

        A change that the normal form undoes is drawn again, up to 50 times; after that the genome itself comes back.
        """
        start = self.validate(genome)
        movable = [gene for gene in self.genes if len(gene.choices) > 1]
        for _ in range(50):
            gene = rng.choice(movable)
            value = rng.choice([choice for choice in gene.choices if choice != start[gene.name]])
            if (child := self.validate({**start, gene.name: value})) != start:
                return child
        return start


def _choice(gene: Gene, value: Scalar) -> Scalar:
    """The choice that equals `value`; 1 and 1.0 are the same number (JSON keeps no difference), True is none."""
    for choice in gene.choices:
        if value == choice and isinstance(value, bool) == isinstance(choice, bool):
            return choice
    allowed = ", ".join(map(repr, gene.choices))
    raise StudyError(f"gene {gene.name!r} cannot be {value!r}: choose from {allowed}")


ID_DIGITS = 12
"""Of a candidate's digest, in its id."""


@dataclass(frozen=True)
class Candidate:
    """What is varied: a genome in normal form. Its id is the content address of the genome."""

    genome: Genome

    @cached_property
    def id(self) -> str:
        """Twelve hexadecimal digits, equal for equal genomes: a name, which who wants to can forge."""
        return self.digest[:ID_DIGITS]

    @property
    def digest(self) -> str:
        """SHA-256 of the genome, 64 hexadecimal digits: what permission for this and no other candidate is given to."""
        return _address(tuple((name, type(value), value) for name, value in self.genome.items()))


@lru_cache(maxsize=4096)
def _address(genes: tuple[tuple[str, type, Scalar], ...]) -> str:
    """The content address of a genome; one candidate stands in thousands of events. The type tells 1 from True."""
    return digest({name: value for name, _, value in genes})


@dataclass(frozen=True, slots=True)
class Cost:
    """What a candidate costs by construction: parameters, recurrent state (floats), training FLOP of one trial."""

    parameters: int = 0
    state_floats: int = 0
    flop: float = 0.0


@dataclass(frozen=True, slots=True)
class Metric:
    """A measurement beside the arena's own metric: from the artefact, or of the run itself (see RESOURCES).

    `resolution`: floor of its noise scale, on the log scale when `log` (then values are positive).
    """

    name: str
    higher_is_better: bool
    resolution: float
    log: bool = False


CPU_SECONDS, PEAK_BYTES = "cpu_seconds", "peak_bytes"

RESOURCES: Mapping[str, Metric] = {
    CPU_SECONDS: Metric(CPU_SECONDS, False, 0.01, log=True),
    PEAK_BYTES: Metric(PEAK_BYTES, False, 0.01, log=True),
}
"""What the parent of a trial group measures; trials of one group share one measurement."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """Where else a finding may hold: held-out tasks, a larger scale. `options` are changes to the study's own."""

    name: str
    options: Setting


@dataclass(frozen=True, slots=True)
class Score:
    """What a scorer says of one artefact: the arena's metric, and the card's further metrics by name."""

    value: float
    others: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Controls:
    """Experiments whose outcome an arena knows beforehand; genomes are changes to the baseline.

    known: a change that improves on the arena's own baseline. null: a change that does nothing. null_options: options
    under which nothing can be better than anything else, for example shuffled labels.
    """

    known: Genome = field(default_factory=dict)
    null: Genome = field(default_factory=dict)
    null_options: Setting = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Card:
    """An arena in words and constants.

    metric: what a score is; `higher_is_better` its direction; `resolution` the smallest difference in it that means
    anything (also the floor of the noise scale). `program` names the module whose `run(group)` executes a trial group
    in a worker. `group_size` is how many trials are trained together. `tuning` lists the nuisance settings that every
    candidate, baselines included, is swept over. `requires` are importable modules that a worker needs. `floor` and
    `ceiling`: the metric of a guess and of perfection, where they are known. `log`: scores are positive and compared by
    their ratio (losses, times); effects, sigma, delta and `resolution` are then in natural-log units. `metrics`: what
    else a score reports. `transfers`: where a finding can be tried again. `fixed_data`: scores come from fixed examples
    in parts (see Role) instead of examples drawn anew for each seed. `trust`: where scores come from, when it is not
    the arena's own scorer in the lab. `gpus`: how many GPUs a trial group holds while it runs.
    """

    name: str
    question: str
    metric: str
    higher_is_better: bool
    resolution: float
    program: str
    group_size: int
    tuning: tuple[Setting, ...]
    baseline: Genome
    requires: tuple[str, ...] = ()
    summary: str = ""
    floor: float | None = None
    ceiling: float | None = None
    controls: Controls = field(default_factory=Controls)
    log: bool = False
    metrics: tuple[Metric, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    fixed_data: bool = False
    trust: str = ""
    gpus: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one trial group: wall seconds, bytes above the idle worker, processes, bytes of one written file.

    cpu_seconds: of all its processes together; None: no bound but that of each process, which follows from seconds.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "allow_inf_nan": False}

    seconds: Annotated[float, Gt(0), Le(1e9)] = 120.0
    memory_bytes: Annotated[int, Gt(0), Le(1 << 50)] = 2 << 30
    processes: Annotated[int, Gt(0), Le(1 << 20)] = 16
    file_bytes: Annotated[int, Gt(0), Le(1 << 50)] = 64 << 20
    cpu_seconds: Annotated[float, Gt(0), Le(1e9)] | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of a candidate: `seed` fixes initialisation and data, `setting` the tuned nuisances (may be empty)."""

    id: str
    seed: int
    setting: Setting = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrialGroup:
    """Trials of one candidate that share a worker. `fidelity` in (0, 1] scales the length of each trial.

    `options` are the arena's own settings, the same for every trial of a study (transfers excepted). `role`: the part
    of the data that its scores are computed on; a worker has no use for it.
    """

    id: str
    candidate: Candidate
    trials: tuple[Trial, ...]
    options: Setting = field(default_factory=dict)
    fidelity: float = 1.0
    limits: Limits = field(default_factory=Limits)
    role: Role = Role.SEARCH


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a worker hands over for one trial: an artefact, or the way it failed. Never a score.

    `facts` are the worker's own remarks (for example a final training loss): shown, never judged.
    """

    trial_id: str
    artefact: bytes | None = None
    failure: Kind | None = None
    cause: str = ""
    facts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """Resources of one trial group, measured by the parent: CPU seconds, wall seconds, peak resident bytes."""

    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    peak_bytes: int = 0


@dataclass(frozen=True, slots=True)
class GroupResult:
    """One finished trial group: exactly one delivery for each of its trials, in their order."""

    group: TrialGroup
    deliveries: tuple[Delivery, ...]
    usage: Usage
