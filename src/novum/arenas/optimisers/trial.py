"""The worker's side: trials of a group are trained as one population; what they predict goes out unscored."""

from __future__ import annotations

import math

import torch

from novum.arenas.optimisers.language import language
from novum.arenas.optimisers.options import Options
from novum.arenas.optimisers.training import Trained, train
from novum.core.model.candidate import Candidate
from novum.core.model.errors import StudyError
from novum.core.model.trial import OutcomeKind, Trial, TrialGroup, TrialOutput
from novum.symbolic.program_space import ProgramSpace


def warm() -> None:
    """Import and initialise everything a run needs with a throw-away training, so that forked children start warm."""
    options = {"train": 20, "steps": 2, "batch": 2, "held_out": 4}
    run(TrialGroup("warm", Candidate({"step": "u = g"}), (Trial("warm", 0, {"lr": 0.1}),), options))


def run(group: TrialGroup) -> list[TrialOutput]:
    """One output per trial, in their order: what `score` describes.

    `setting["lr"]` is a trial's learning rate; `fidelity` scales the number of steps. A member whose weights or
    predictions are not finite at the end is delivered as DIVERGED.
    """
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    options = Options.taken(group.options)
    space = ProgramSpace(language(options))
    program = space.program(space.validate(group.candidate.genome))
    rates, seeds = [_rate(trial) for trial in group.trials], [trial.seed for trial in group.trials]
    steps = max(1, round(options.steps * group.fidelity))
    made = train(program, space.language, options, group.role, seeds, rates, steps)
    return [_output(trial, row, made) for row, trial in enumerate(group.trials)]


def _output(trial: Trial, row: int, made: Trained) -> TrialOutput:
    if not made.fine[row]:
        cause = "weights or predictions are not finite at the end"
        return TrialOutput(trial.id, failure=OutcomeKind.DIVERGED, cause=cause)
    readings = ((seconds, losses[row]) for seconds, losses in made.curve)
    curve = tuple((seconds, loss) for seconds, loss in readings if math.isfinite(loss))
    return TrialOutput(trial.id, made.said[row].numpy().astype("<f4").tobytes(), curve=curve)


def _rate(trial: Trial) -> float:
    rate = trial.setting.get("lr")
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not rate > 0:
        raise StudyError(f"trial {trial.id!r} of the optimisers arena needs a positive setting 'lr', not {rate!r}")
    return float(rate)
