"""The worker's side: trials of a group learn as one population; what they say of held-out inputs goes out unscored."""

from __future__ import annotations

import numpy as np
import torch

from novum.arenas.local_learning.cost import steps
from novum.arenas.local_learning.data import lesson, questions
from novum.arenas.local_learning.options import Options
from novum.arenas.local_learning.rules.population import Trained, said, train
from novum.arenas.local_learning.space import Design, space
from novum.core.model.candidate import Candidate
from novum.core.model.errors import StudyError
from novum.core.model.trial import OutcomeKind, Trial, TrialGroup, TrialOutput


def warm() -> None:
    """Import and initialise everything a run needs with a throw-away training, so that forked children start warm."""
    options = {"train": 20, "samples": 4, "batch": 2, "held_out": 4}
    run(TrialGroup("warm", Candidate({}), (Trial("warm", 0, {"lr": 0.1}),), options))


def run(group: TrialGroup) -> list[TrialOutput]:
    """One output per trial, in their order: a class as one byte for each row of `data.questions`.

    `setting["lr"]` is a trial's learning rate; `fidelity` scales the number of steps. A member whose weights or logits
    are not finite at the end is delivered as DIVERGED.
    """
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    options = Options.taken(group.options)
    design = Design.of(space(options).validate(group.candidate.genome))
    rates, seeds = [_rate(trial) for trial in group.trials], [trial.seed for trial in group.trials]
    count = steps(design, options, group.fidelity)
    lessons = [lesson(options, group.role, seed) for seed in seeds]
    made = train(design, lessons, seeds, rates, count, options.batch)
    asked = torch.from_numpy(np.stack([questions(options, group.role, seed) for seed in seeds]))
    guesses, fine = said(made.rule, asked)
    return [_output(trial, row, made, guesses[row], fine[row]) for row, trial in enumerate(group.trials)]


def _output(trial: Trial, row: int, made: Trained, guesses: torch.Tensor, fine: bool) -> TrialOutput:
    if not fine:
        cause = "weights or outputs are not finite at the end"
        return TrialOutput(trial.id, failure=OutcomeKind.DIVERGED, cause=cause)
    facts = {}
    for step, layers in made.alignments.items():
        for layer, members in enumerate(layers):
            facts[f"cosine with the gradient, layer {layer + 1}, step {step}"] = members[row]
    curve = tuple((seconds, members[row]) for seconds, members in made.accuracies)
    artefact = guesses.numpy().astype(np.uint8).tobytes()
    return TrialOutput(trial.id, artefact, facts=facts, curve=curve)


def _rate(trial: Trial) -> float:
    rate = trial.setting.get("lr")
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not rate > 0:
        raise StudyError(f"trial {trial.id!r} of the local-learning arena needs a positive setting 'lr', not {rate!r}")
    return float(rate)
