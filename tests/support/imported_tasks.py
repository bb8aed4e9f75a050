"""Tasks of other tools for tests, and one trial of a study that was made of one."""

from __future__ import annotations

from pathlib import Path

from novum.arenas.program import trial as worker
from novum.arenas.program.arena import ProgramArena
from novum.core.model.candidate import Candidate
from novum.core.model.trial import Trial, TrialGroup
from novum.lab import wiring
from novum.studies.load import load_study


def score(directory: Path, genome=(), seed=1) -> tuple[ProgramArena, float]:
    """The score of one trial of an imported study, run as the lab would."""
    study = load_study(str(directory)).study
    wiring.check(study)
    arena = wiring.arena(study)
    group = TrialGroup("g", Candidate(arena.space.validate(dict(genome))), (Trial("g.0", seed),), study.options)
    (output,) = worker.run(group)
    assert output.artefact, output.cause
    return arena, arena.score(group, group.trials[0], output.artefact).value


def written(place: Path, files: dict[str, str]) -> Path:
    """A directory with these files."""
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    return place
