"""Trials: one run of a candidate at a seed, the groups that share a worker, and what comes back from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from annotated_types import Gt, Le

from novum.core.model.candidate import Candidate, Setting
from novum.core.model.errors import NovumError
from novum.core.model.hardware import Gpu, Machine
from novum.core.model.run_progress import Curve, Look


class Role(StrEnum):
    """Which part of an arena's data a trial is scored on, where the arena keeps its data in parts.

    Search data may be used freely; gate data decide confirmations; final data are asked through the holdout only.
    """

    SEARCH = "search"
    GATE = "gate"
    FINAL = "final"


class OutcomeKind(StrEnum):
    """How a trial ended. Only `scored` carries a score; nothing else is ever turned into a number."""

    SCORED = "scored"
    DIVERGED = "diverged"
    CRASHED = "crashed"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    TAMPERED = "tampered"
    LOST = "lost"
    STOPPED = "stopped"
    """Ended early in screening: its progress was beyond hope. It says how promising a candidate is, and no more."""
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one trial group: wall seconds, bytes above the idle worker, processes, bytes of one written file."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "allow_inf_nan": False}

    seconds: Annotated[float, Gt(0), Le(1e9)] = 120.0
    memory_bytes: Annotated[int, Gt(0), Le(1 << 50)] = 2 << 30
    processes: Annotated[int, Gt(0), Le(1 << 20)] = 16
    file_bytes: Annotated[int, Gt(0), Le(1 << 50)] = 64 << 20
    cpu_seconds: Annotated[float, Gt(0), Le(1e9)] | None = None
    """Of all its processes together; None: no bound but that of each process, which follows from seconds."""


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
    of the data that its scores are computed on; a worker has no use for it. `looks`: when its progress is judged, in
    order. `gpus`: what it holds, as its executor gave them out. `together`: groups of the same name run on machines of
    one kind, since their trials are paired, and `kind` is that of those that have run; empty for any.
    """

    id: str
    candidate: Candidate
    trials: tuple[Trial, ...]
    options: Setting = field(default_factory=dict)
    fidelity: float = 1.0
    limits: Limits = field(default_factory=Limits)
    role: Role = Role.SEARCH
    looks: tuple[Look, ...] = ()
    gpus: tuple[Gpu, ...] = ()
    together: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class TrialOutput:
    """What a worker hands over for one trial: an artefact, or the way it failed. Never a score.

    `facts` are the worker's own remarks (for example a final training loss): shown, never judged.
    """

    trial_id: str
    artefact: bytes | None = None
    failure: OutcomeKind | None = None
    cause: str = ""
    facts: Mapping[str, float] = field(default_factory=dict)
    curve: Curve = ()
    """Its progress, as far as the program shows any; never judged as a score."""
    remarks: str = ""
    """What the run has to say to whoever proposes next."""
    resumed: tuple[float, float] = (0.0, 0.0)
    """CPU and wall seconds of earlier starts that it goes on from: its own, though this group did not use them."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Resources of one trial group, measured by the parent: CPU seconds, wall seconds, peak resident bytes."""

    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    peak_bytes: int = 0


@dataclass(frozen=True, slots=True)
class GroupResult:
    """One finished trial group: exactly one output for each of its trials, in their order."""

    group: TrialGroup
    outputs: tuple[TrialOutput, ...]
    usage: Usage
    machine: Machine | None = None
    """Where it ran, when that is not the lab's own machine."""
    late: bool = False
    """It was reported as lost before, and may have been run again: it must not be counted."""


class ArtefactError(NovumError):
    """An artefact that cannot be scored: wrong type, shape, range or length; or `kind`, the way its trial ended."""

    def __init__(self, words: str, kind: OutcomeKind | None = None) -> None:
        super().__init__(words)
        self._kind = kind

    @property
    def kind(self) -> OutcomeKind:
        """The outcome of the trial; invalid unless it is known better."""
        from novum.core.model.trial import OutcomeKind

        return self._kind or OutcomeKind.INVALID
