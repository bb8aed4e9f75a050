"""The worker's side: a rule meets the streams of each trial; its guesses go out unscored."""

from __future__ import annotations

import numpy as np

from novum.arenas.memory.arena import MemoryArena
from novum.arenas.memory.options import Options
from novum.arenas.memory.recall import guesses
from novum.arenas.memory.streams import make
from novum.core.model.candidate import Candidate
from novum.core.model.trial import Trial, TrialGroup, TrialOutput


def warm() -> None:
    """Compile, or load what was compiled before."""
    run(TrialGroup("warm", Candidate({}), (Trial("warm", 0),), {"size": 4, "values": 4}))


def run(group: TrialGroup) -> list[TrialOutput]:
    """One output per trial, in their order: what `score` describes. `fidelity` is of no use: streams are short."""
    options = Options.taken(group.options)
    space = MemoryArena(options).space
    program = space.program(space.validate(group.candidate.genome))
    out = []
    for trial in group.trials:
        said = guesses(program, options, make(options, group.role, trial.seed))
        data = np.concatenate([one.reshape(-1) for one in said]).astype("<u2").tobytes()
        out.append(TrialOutput(trial.id, data, facts={"instructions": float(len(program))}))
    return out
