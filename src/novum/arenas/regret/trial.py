"""The worker's side: a rule plays the games of each trial; its average strategies go out unscored."""

from __future__ import annotations

import numpy as np

from novum.arenas.regret.arena import RegretArena
from novum.arenas.regret.games import played
from novum.arenas.regret.options import Options
from novum.arenas.regret.solve import average_strategy
from novum.core.model.candidate import Candidate
from novum.core.model.trial import OutcomeKind, Trial, TrialGroup, TrialOutput


def warm() -> None:
    """Compile, or load what was compiled before."""
    run(TrialGroup("warm", Candidate({}), (Trial("warm", 0),), {"iterations": 2}))


def run(group: TrialGroup) -> list[TrialOutput]:
    """One output per trial, in their order: what `score` describes. `fidelity` is of no use: trials are short."""
    options = Options.taken(group.options)
    space = RegretArena(options).space
    program = space.program(space.validate(group.candidate.genome))
    facts = {"instructions": float(len(program))}
    out = []
    for trial in group.trials:
        games = played(options, group.role, trial.seed)
        data = np.concatenate([average_strategy(program, options, game).reshape(-1) for game in games])
        if np.isfinite(data).all():
            out.append(TrialOutput(trial.id, data.astype("<f8").tobytes(), facts=facts))
        else:
            cause = "the weights of the average are not finite"
            out.append(TrialOutput(trial.id, failure=OutcomeKind.DIVERGED, cause=cause, facts=facts))
    return out
