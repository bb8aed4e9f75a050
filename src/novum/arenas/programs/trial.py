"""The worker's side: a program lives through the task of each trial; what it said goes out unscored."""

from __future__ import annotations

import numpy as np

from novum.arenas.programs.arena import ProgramsArena
from novum.arenas.programs.options import Options
from novum.arenas.programs.search import lived
from novum.arenas.programs.tasks import make
from novum.core.model.candidate import Candidate
from novum.core.model.trial import OutcomeKind, Trial, TrialGroup, TrialOutput


def warm() -> None:
    """Compile, or load what was compiled before."""
    options = {"features": 2, "examples": 10, "scored": 5}
    run(TrialGroup("warm", Candidate({}), (Trial("warm", 0),), options))


def run(group: TrialGroup) -> list[TrialOutput]:
    """One output per trial, in their order: what `score` describes. `fidelity` is of no use: lives are short."""
    options = Options.taken(group.options)
    space = ProgramsArena(options).space
    program = space.program(space.validate(group.candidate.genome))
    out = []
    for trial in group.trials:
        task = make(options, group.role, trial.seed)
        said = lived(program, options, task)
        facts = {"instructions": float(len(program))}
        if np.isfinite(said).all():
            out.append(TrialOutput(trial.id, said.astype("<f8").tobytes(), facts=facts))
        else:
            cause = "what the program said is not finite"
            out.append(TrialOutput(trial.id, failure=OutcomeKind.DIVERGED, cause=cause, facts=facts))
    return out
