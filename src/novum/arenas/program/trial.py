"""The worker's side: prepare, run the candidate behind walls, hand over what it left. It scores nothing."""

from __future__ import annotations

from novum.arenas.program.bundle import unpacked
from novum.arenas.program.live_progress import LiveProgress
from novum.arenas.program.run_stages import SEEDS, Stage, candidate_seed
from novum.core.model.trial import ArtefactError, OutcomeKind, Trial, TrialGroup, TrialOutput
from novum.sandbox import Tier, live_readings, require, sandbox_status
from novum.sandbox.visible.shown_packages import providers


def warm() -> None:
    """Find the sandbox, and what is installed, once, so that children need not."""
    sandbox_status()
    providers()


def run(group: TrialGroup) -> list[TrialOutput]:
    """One output per trial, in their order."""
    bundle = unpacked(str(group.options["bundle"]))
    minimum = Tier(bundle.program.isolation)
    tier = sandbox_status().tier
    require(tier, minimum)
    stage = Stage(bundle, tier, group.gpus)
    return [_trial(stage, group, trial) for trial in group.trials]


def _trial(stage: Stage, group: TrialGroup, trial: Trial) -> TrialOutput:
    try:
        visible, _ = stage.prepared(trial.seed % SEEDS)
    except ArtefactError as error:
        return TrialOutput(trial.id, failure=OutcomeKind.INVALID, cause=str(error))
    progress = LiveProgress(stage.bundle.program.progress_pattern, group.looks, trial.id, len(group.gpus))
    left, measured = stage.candidate(
        group.candidate.genome, candidate_seed(trial.seed), visible, group.limits, progress
    )
    live_readings.withdraw(trial.id)
    return TrialOutput(trial.id, artefact=left.packed(), facts=measured, curve=progress.curve)
