"""The worker's side: train the trials of a group as one population and hand over what they predict, unscored."""

# ruff: noqa: N806 -- names of tensors end in their shapes
from __future__ import annotations

import time

import torch

from novum.arenas.recall.model import Model
from novum.arenas.recall.options import Options
from novum.arenas.recall.space import SPACE, Design
from novum.arenas.recall.train import predict, train
from novum.core.model.candidate import Candidate
from novum.core.model.errors import StudyError
from novum.core.model.trial import OutcomeKind, Trial, TrialGroup, TrialOutput


def warm() -> None:
    """Import and initialise everything a run needs with a throw-away training, so that forked children start warm."""
    genome = SPACE.validate({"write": "delta", "conv": 2, "decay": "vector"})
    options = {"steps": 2, "held_out": 8, "batch": 2}
    run(TrialGroup("warm", Candidate(genome), (Trial("warm", 0, {"lr": 0.01}),), options))


def run(group: TrialGroup) -> list[TrialOutput]:
    """One output per trial, in their order: predictions as little-endian uint16, sequences x queries.

    A member whose loss or parameters are not finite at the end is delivered as DIVERGED. `setting["lr"]` is a trial's
    learning rate; `fidelity` scales the number of steps.
    """
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    options = Options.taken(group.options)
    model = Model(Design.of(group.candidate.genome), options)
    seeds, rates = [trial.seed for trial in group.trials], [_rate(trial) for trial in group.trials]
    steps = max(1, round(options.steps * group.fidelity))

    began = time.process_time()
    leaf_Pxn, losses_SxP = train(model, seeds, rates, steps)
    seconds = (time.process_time() - began) / steps
    guesses = predict(model, leaf_Pxn, seeds).numpy().astype("<u2")

    sound = leaf_Pxn.isfinite().all(1) & losses_SxP[-1].isfinite()
    out = []
    for member, trial in enumerate(group.trials):
        if not sound[member]:
            step = int(losses_SxP[:, member].isfinite().long().cumprod(0).sum())
            cause = f"loss or parameters not finite from step {step}"
            out.append(TrialOutput(trial.id, failure=OutcomeKind.DIVERGED, cause=cause))
            continue
        facts = {"loss": float(losses_SxP[-1, member]), "steps": float(steps), "group_seconds_per_step": seconds}
        out.append(TrialOutput(trial.id, artefact=guesses[member].tobytes(), facts=facts))
    return out


def _rate(trial: Trial) -> float:
    rate = trial.setting.get("lr")
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not rate > 0:
        raise StudyError(f"trial {trial.id!r} of the recall arena needs a positive setting 'lr', not {rate!r}")
    return float(rate)
