"""The worker's side: prepare, run the candidate behind walls, hand over what it left. It scores nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from novum.arenas.program.artefact import Artefact, check_output
from novum.arenas.program.bundle import unpacked
from novum.arenas.program.kept_checkpoints import KeptCheckpoint, TrialCheckpoint
from novum.arenas.program.live_progress import LiveProgress
from novum.arenas.program.manifest import Program
from novum.arenas.program.reported_score import reported_values
from novum.arenas.program.run_stages import SEEDS, Stage, candidate_seed, score_of
from novum.core.model.trial import ArtefactError, OutcomeKind, Trial, TrialGroup, TrialOutput
from novum.sandbox import Tier, live_readings, require, sandbox_status
from novum.sandbox.visible.shown_packages import providers

_LEAST_SECONDS = 1.0


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
    kept = KeptCheckpoint.of(stage.bundle, group, trial)
    start = kept.load()
    if start is None:
        _, output = _attempt(stage, group, trial, visible, kept)
    else:
        output = _resumed(stage, group, trial, visible, kept, start)
    kept.drop()
    live_readings.withdraw(trial.id)
    return output


def _resumed(
    stage: Stage,
    group: TrialGroup,
    trial: Trial,
    visible: Mapping[str, bytes],
    kept: KeptCheckpoint,
    start: TrialCheckpoint,
) -> TrialOutput:
    """The output of a trial that goes on from a checkpoint; where nothing comes of that, of a run from its beginning.

    A failure may be the checkpoint's fault, so it is none of the candidate's yet. Where too little of the group's time
    is left for the second run, the trial counts as lost, and the lab runs it again.
    """
    left, output = _attempt(stage, group, trial, visible, kept, start)
    if _is_outcome(stage.bundle.program, left):
        facts = {**output.facts, "resumed_after_cpu_seconds": start.cpu_seconds}
        return replace(output, facts=facts, resumed=(start.cpu_seconds, start.wall_seconds))
    kept.drop()
    again = output
    if left.ended is not OutcomeKind.TIMED_OUT:
        used = output.facts["wall_seconds"] - start.wall_seconds
        limits = replace(group.limits, seconds=max(_LEAST_SECONDS, group.limits.seconds - used))
        left, again = _attempt(stage, replace(group, limits=limits), trial, visible, kept)
    if left.ended is OutcomeKind.TIMED_OUT:
        cause = f"nothing came of its checkpoint, and no time was left for a run from the beginning ({left.cause})"
        again = replace(again, artefact=Artefact({}, OutcomeKind.LOST, cause).packed())
    facts = {**again.facts, "failed_resume_cpu_seconds": output.facts["cpu_seconds"] - start.cpu_seconds}
    return replace(again, facts=facts)


def _attempt(
    stage: Stage, group: TrialGroup, trial: Trial, visible: Mapping[str, bytes], kept: KeptCheckpoint,
    start: TrialCheckpoint | None = None,
) -> tuple[Artefact, TrialOutput]:  # fmt: skip
    """What one run left, and the output of the trial that it would be."""
    readings = start.readings if start else ()
    used = (start.cpu_seconds, start.wall_seconds) if start else (0.0, 0.0)
    pattern = stage.bundle.program.progress_pattern
    progress = LiveProgress(pattern, group.looks, trial.id, len(group.gpus), readings, used)
    seed = candidate_seed(trial.seed)
    left, measured = stage.candidate(group.candidate.genome, seed, visible, group.limits, progress, kept, start)
    return left, TrialOutput(
        trial.id, artefact=left.packed(), facts=measured, curve=progress.curve, remarks=left.remarks
    )


def _is_outcome(program: Program, left: Artefact) -> bool:
    """Whether a run was ended for its progress, or left all that a score takes, as far as that is known here."""
    if left.ended is not None:
        return left.ended is OutcomeKind.STOPPED
    try:
        for wanted in program.outputs:
            check_output(wanted, left.outputs[wanted.name])
        if program.report:
            score_of(reported_values(program, left), tuple(one.name for one in program.metrics))
    except ArtefactError:
        return False
    return True
