"""The three things that are run for a trial, each in a sandbox of its own: prepare, the candidate, the scorer.

No two of them ever share a process, a directory or a memory. What one hands to the next goes through this process, as
bytes of declared names.
"""

from __future__ import annotations

import hashlib
import importlib.util
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from novum import training_log
from novum.arenas.program import own_interpreter
from novum.arenas.program.artefact import Artefact, check_output
from novum.arenas.program.bundle import Bundle
from novum.arenas.program.kept_checkpoints import KeptCheckpoint, TrialCheckpoint
from novum.arenas.program.live_progress import LiveProgress
from novum.arenas.program.log_module import with_log
from novum.arenas.program.reported_score import remarks_of, said_of
from novum.arenas.program.seeding import seeded
from novum.core.model.candidate import Genome
from novum.core.model.hardware import SPINNING, Gpu
from novum.core.model.metric import Score
from novum.core.model.trial import ArtefactError, Limits, OutcomeKind, Role
from novum.sandbox import Bounds, Ended, Job, Tier, run
from novum.sandbox.gpus.gpu_access import GpuAccess, access_to
from novum.sandbox.job import WatchedFile
from novum.sandbox.tiers.unsafe import run_without_sandbox
from novum.text.bounded_json import load_json

SEEDS = 2**32
"""Seeds are handed over modulo this: what numpy and most libraries take."""

TRUSTED = Bounds(seconds=120.0, cpu_seconds=120.0)
"""For prepare and score, the user's own scripts."""

DISK_BYTES = 256 << 20
"""For all files of a run together, where its study does not let a single one be larger than half of that."""

_SAID = 4000
_NOTHING: Mapping[str, str] = {}
NOWHERE = KeptCheckpoint(None)
_SCORE = "score.json"
_MARGIN = 0.9
"""Of a group's limits goes to the candidate: its sandbox has to end it, not the executor, to say why."""

_OWN_PROCESSES = 6

_ALLOWED_BY = {
    "seconds": "limits.seconds in the study allows more",
    "cpu_seconds": "it follows from limits.seconds in the study",
    "memory_bytes": "limits.memory_bytes in the study allows more",
    "processes": "limits.processes in the study allows more",
    "file_bytes": "limits.file_bytes in the study allows more",
    "disk_bytes": "twice limits.file_bytes in the study, or 256 MiB",
    "open_files": "the same for every study",
    "gpu_memory": "no study bounds it; others may hold some of it",
}


def candidate_seed(seed: int) -> int:
    """The seed that a candidate is told for a trial: not the one that prepare and score get, nor a way to it.

    Whoever knew theirs could make the truth by the generator that prepare uses, which is easily guessed.
    """
    return int.from_bytes(hashlib.sha256(f"candidate {seed}".encode()).digest()[:4], "big")


@dataclass(frozen=True)
class Stage:
    """Where a bundle is run: behind walls of this tier."""

    bundle: Bundle
    tier: Tier
    gpus: tuple[Gpu, ...] = ()
    """What the candidate holds; prepare and score see none."""

    def prepared(self, seed: int) -> tuple[dict[str, bytes], dict[str, bytes]]:
        """What the candidate sees and the truth behind it, for one seed. Raises ArtefactError."""
        program = self.bundle.program
        if not program.prepare:
            return {}, {}
        wanted = (*program.visible, *program.truth)
        ended = self._run(program.prepare, {**self.bundle.shown, **self.bundle.kept}, wanted, seed, TRUSTED)
        if ended.kind is not None:
            raise ArtefactError(f"prepare failed: {_why(ended)}")
        made = ended.artefacts
        return {name: made[name] for name in program.visible}, {name: made[name] for name in program.truth}

    def candidate(
        self, genome: Genome, seed: int, visible: Mapping[str, bytes], limits: Limits, progress: LiveProgress,
        kept: KeptCheckpoint = NOWHERE, start: TrialCheckpoint | None = None,
    ) -> tuple[Artefact, dict[str, float]]:  # fmt: skip
        """Run the candidate, phase by phase: what it left, and what was measured of it.

        kept: where its checkpoints go. start: what it goes on from; what it had used by then counts, also against the
        limits. Failing is an outcome, never an exception.
        """
        program, tree = self.bundle.program, self._tree(genome)
        handed: dict[str, bytes] = {}
        before = (start.cpu_seconds, start.wall_seconds) if start else (0.0, 0.0)
        measured = {"cpu_seconds": before[0], "wall_seconds": before[1], "peak_bytes": 0.0}
        ended = None
        for number, phase in enumerate(program.runs):
            last = number == len(program.runs) - 1
            wanted = program.left if last else phase.keeps
            given = {**tree, **{name: visible[name] for name in phase.sees}}
            # A score that was there before the run is none of this trial.
            given = {path: data for path, data in given.items() if not program.is_score_file(path)}
            for unwanted in (program.checkpoint, program.remarks):
                given.pop(unwanted, None)
            resumed = {program.checkpoint: start.content} if start else {}
            files = with_log({**given, **handed, **resumed}, phase.command, program.packages)
            bounds = _bounds(limits, measured["wall_seconds"], max((o.max_bytes for o in program.outputs), default=0),
                             gpus=bool(self.gpus))  # fmt: skip
            begun = seeded(phase.command, files, program.seed, seed % SEEDS)
            ended = self._run(begun.words, begun.files, wanted, seed, bounds, packages=program.packages,
                              more=begun.environment, patterns=program.searched if last else (),
                              gpus=access_to(self.gpus), progress=progress,
                              checkpoint=self._watched(kept, before, progress))  # fmt: skip
            progress.end_phase(ended.usage.cpu_seconds)
            measured["cpu_seconds"] += ended.usage.cpu_seconds
            measured["wall_seconds"] += ended.usage.wall_seconds
            measured["peak_bytes"] = max(measured["peak_bytes"], float(ended.usage.peak_bytes))
            if ended.kind is not None:
                allowed = _ALLOWED_BY.get(ended.limit, "") or _undeclared(ended, program.packages)
                return Artefact({}, ended.kind, _why(ended, allowed)), measured
            handed |= {name: ended.artefacts[name] for name in wanted if not last}
        assert ended
        outputs = {name: ended.artefacts[name] for name in program.output_names}
        try:
            remarks = ended.artefacts.get(program.remarks, b"").decode(errors="replace")
            return Artefact(outputs, said=said_of(program, ended.stdout, ended.artefacts), remarks=remarks), measured
        except ArtefactError as error:
            return Artefact({}, error.kind, str(error)), measured

    def score(self, outputs: Mapping[str, bytes], truth: Mapping[str, bytes], seed: int, role: Role) -> dict[str, Any]:
        """What the user's scorer says of the outputs, as it wrote it. Raises ArtefactError."""
        program = self.bundle.program
        for wanted in program.outputs:
            check_output(wanted, outputs[wanted.name])
        files = {**self.bundle.kept, **truth, **outputs}
        ended = self._run(program.score, files, (_SCORE,), seed, TRUSTED, str(role))
        if ended.kind is not None:
            raise ArtefactError(f"the scorer failed: {_why(ended)}")
        try:
            said = load_json(ended.artefacts[_SCORE])
        except ValueError:
            raise ArtefactError(f"the scorer wrote no JSON to {_SCORE}") from None
        if not isinstance(said, dict):
            raise ArtefactError(f"the scorer must write an object with a value to {_SCORE}")
        return said

    def _tree(self, genome: Genome) -> dict[str, bytes]:
        texts = {path: text.encode() for path, text in self.bundle.space.complete(genome).items()}
        return {**self.bundle.shown, **texts}

    def _watched(self, kept: KeptCheckpoint, before: tuple[float, float], progress: LiveProgress) -> WatchedFile | None:
        """The file that is kept while it runs, with all that the trial has used and shown by then."""
        if kept.path is None:
            return None

        def keep(content: bytes, cpu_seconds: float, wall_seconds: float) -> None:
            cpu, wall = before[0] + cpu_seconds, before[1] + wall_seconds
            by_then = tuple(one for one in progress.readings if one[0] <= (len(self.gpus) * wall or cpu))
            kept.save(TrialCheckpoint(content, cpu, wall, by_then))

        return WatchedFile(self.bundle.program.checkpoint, keep)

    def _run(
        self, command: tuple[str, ...], files: Mapping[str, bytes], wanted: tuple[str, ...], seed: int, bounds: Bounds,
        role: str = "", packages: tuple[str, ...] | None = None, more: Mapping[str, str] = _NOTHING,
        patterns: tuple[str, ...] = (), gpus: GpuAccess | None = None, progress: LiveProgress | None = None,
        checkpoint: WatchedFile | None = None,
    ) -> Ended:  # fmt: skip
        program = self.bundle.program
        words = tuple(word.replace("{seed}", str(seed % SEEDS)).replace("{role}", role) for word in command)
        own = program.python
        if own and words[0] == "python":
            words = (own, *words[1:])
        job = Job(
            words,
            files=files,
            collect=wanted,
            patterns=patterns,
            optional=(program.remarks,) if program.remarks and progress else (),
            limits=bounds,
            environment=environment_of(own, {**program.environment, **more}),
            readable=tuple(map(Path, (*program.data, *(own_interpreter.prefixes(own) if own else ())))),
            packages=None if own else packages,
            hear=progress.hear if progress else None,
            judge=progress.judge if progress else None,
            gpus=gpus,
            checkpoint=checkpoint,
        )
        return run_without_sandbox(job) if self.tier is Tier.NONE else run(job, self.tier)


def environment_of(own: str, more: Mapping[str, str]) -> dict[str, str]:
    """What a program finds in its environment: a thread each, the user's interpreter, its log, what the study adds."""
    found = {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        training_log.VARIABLE: f"~/{training_log.USUAL}",  # home is the work directory, which a script may leave
    }
    return {**found, **(own_interpreter.environment(own) if own else {}), **more}


def score_of(said: Mapping[str, Any], others: tuple[str, ...]) -> Score:
    """The score in what a scorer wrote. Raises ArtefactError."""
    return Score(
        _number(said, "value"), {name: _number(said, name) for name in others}, remarks_of(said.get("remarks"))
    )


def _number(said: Mapping[str, Any], key: str) -> float:
    if key not in said:
        raise ArtefactError(f"the scorer wrote no {key!r}, only {', '.join(map(repr, said))[:80] or 'nothing'}")
    value = said[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ArtefactError(f"the scorer wrote {str(value)[:80]!r} as {key!r}, which is no finite number")
    return float(value)


def _bounds(limits: Limits, used: float, output_bytes: int, *, gpus: bool) -> Bounds:
    seconds = max(0.1, limits.seconds * _MARGIN - used)
    return Bounds(
        seconds=seconds,
        cpu_seconds=math.ceil(seconds * (SPINNING if gpus else 1)),
        memory_bytes=int(limits.memory_bytes * _MARGIN),
        processes=max(1, limits.processes - _OWN_PROCESSES),
        file_bytes=max(limits.file_bytes, output_bytes),
        disk_bytes=max(DISK_BYTES, 2 * limits.file_bytes),
    )


def _undeclared(ended: Ended, packages: tuple[str, ...]) -> str:
    """What to do where a package is installed and the study does not declare it."""
    found = re.search(r"No module named '(\w+)", ended.stderr)
    if found is None or found[1] in packages or importlib.util.find_spec(found[1]) is None:
        return ""
    return f"{found[1]} is installed, and candidates see what the study declares: add it to program.packages"


def _why(ended: Ended, allowed_by: str = "") -> str:
    """The cause, with what would allow more where a limit was met, and the end of what was printed."""
    if ended.kind in (OutcomeKind.TAMPERED, OutcomeKind.STOPPED):
        return ended.cause
    cause = f"{ended.cause} ({allowed_by})" if allowed_by else ended.cause
    tail = (ended.stderr or ended.stdout)[-_SAID:].strip()
    return f"{cause}\n--- last output ---\n{tail}" if tail else cause
