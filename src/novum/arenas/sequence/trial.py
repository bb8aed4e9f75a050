"""The worker's side: trials of a group are trained as one population per task; what they predict goes out unscored."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch

from novum.arenas.sequence.cost import PREDICTED_BATCHES
from novum.arenas.sequence.fairness import stacks
from novum.arenas.sequence.options import Options
from novum.arenas.sequence.score import encode_loss, held_out_sequences, training_sequences
from novum.arenas.sequence.space import space
from novum.arenas.sequence.task_list import NamedTask
from novum.core.model.candidate import Candidate, Genome
from novum.core.model.errors import StudyError
from novum.core.model.trial import OutcomeKind, Trial, TrialGroup, TrialOutput
from novum.population.network import Network
from novum.population.predicting import predict
from novum.population.recipe import Member, Recipe
from novum.population.stack import Stack
from novum.population.static_check import broken_promise
from novum.population.training import Ending, Training, train


def warm() -> None:
    """Import and initialise everything a run needs with a throw-away training, so that forked children start warm."""
    genome: Genome = {"layer_1": "kda", "taps": 2}
    options = {"steps": 2, "held_out": 8, "batch": 2}
    run(TrialGroup("warm", Candidate(genome), (Trial("warm", 0, {"lr": 0.01}),), options))


def run(group: TrialGroup) -> list[TrialOutput]:
    """One output per trial, in their order: what `score` describes.

    A member whose loss or parameters are not finite at the end is delivered as DIVERGED. `setting["lr"]` is a trial's
    learning rate, "decay" its weight decay; `fidelity` scales the number of steps.
    """
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    options = Options.taken(group.options)
    genome = space(options).validate(group.candidate.genome)
    made = stacks(genome, options)
    for stack in set(made):
        if broken := broken_promise(Network(stack)):
            return [TrialOutput(trial.id, failure=OutcomeKind.INVALID, cause=broken) for trial in group.trials]
    members = [_member(trial) for trial in group.trials]
    artefacts: list[list[bytes]] = [[] for _ in members]
    causes: list[str] = ["" for _ in members]
    facts: list[dict[str, float]] = [{} for _ in members]
    for one, stack in zip(options.named, made, strict=True):
        began = time.process_time()
        training = _trained(group, options, one, stack, members)
        seconds = time.process_time() - began
        for row, (trained, piece) in enumerate(
            zip(training.members, _said(group, options, one, stack, training), strict=True)
        ):
            artefacts[row].append(piece)
            if trained.ending is Ending.DIVERGED or not piece:
                causes[row] = (
                    causes[row] or f"{one.name}: loss or parameters not finite from step {len(trained.losses)}"
                )
            label = f" on {one.name}" if len(options.named) > 1 else ""
            facts[row] |= {
                f"training loss{label}": trained.losses[-1],
                f"compiled{label}": float(training.step.compiled),
            }
            facts[row][f"group_seconds_per_step{label}"] = seconds / len(trained.losses)
    return [_output(*each) for each in zip(group.trials, artefacts, causes, facts, strict=True)]


def _output(trial: Trial, artefact: Sequence[bytes], cause: str, facts: dict[str, float]) -> TrialOutput:
    if cause:
        return TrialOutput(trial.id, failure=OutcomeKind.DIVERGED, cause=cause)
    return TrialOutput(trial.id, artefact=b"".join(artefact), facts=facts)


def _trained(group: TrialGroup, options: Options, one: NamedTask, stack: Stack, members: list[Member]) -> Training:
    steps = max(1, round(options.steps * group.fidelity))
    return train(
        Network(stack),
        Recipe(steps, options.batch, options.warmup, options.clip),
        members,
        lambda seed, block, rows: training_sequences(options, one, group.role, seed, block, rows),
        places=options.places,
        compiling=options.compiling,
        device=options.device,
    )


def _said(group: TrialGroup, options: Options, one: NamedTask, stack: Stack, training: Training) -> list[bytes]:
    """Each member's part of its artefact; empty where its parameters are not finite."""
    held = [held_out_sequences(options, one, group.role, trial.seed) for trial in group.trials]
    tokens = torch.from_numpy(np.stack([batch.tokens for batch in held])).to(options.device)
    positions = torch.from_numpy(np.stack([batch.positions for batch in held])).to(options.device)
    leaf = torch.stack([made.parameters for made in training.members])
    said = predict(Network(stack), leaf, tokens, positions, PREDICTED_BATCHES * options.batch)
    sound = leaf.isfinite().all(1).tolist()
    if options.metric == "accuracy":
        guesses = torch.cat([x.argmax(-1) for x in said], 1).cpu().numpy().astype("<u2")
        return [guesses[row].tobytes() if fine else b"" for row, fine in enumerate(sound)]
    whole = torch.cat(said, 1).cpu().numpy()
    return [encode_loss(whole[row]) if fine else b"" for row, fine in enumerate(sound)]


def _member(trial: Trial) -> Member:
    rate, decay = trial.setting.get("lr"), trial.setting.get("decay", 0.01)
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not rate > 0:
        raise StudyError(f"trial {trial.id!r} of the sequence arena needs a positive setting 'lr', not {rate!r}")
    if isinstance(decay, bool) or not isinstance(decay, int | float) or not decay >= 0:
        raise StudyError(f"trial {trial.id!r} of the sequence arena has a weight decay of {decay!r}: give one >= 0")
    return Member(trial.seed, float(rate), float(decay))
