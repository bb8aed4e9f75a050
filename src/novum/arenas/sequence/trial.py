"""The worker's side: trials of a group are trained as one population per task; what they predict goes out unscored."""

from __future__ import annotations

import time
from dataclasses import dataclass
from math import isfinite
from statistics import median

import numpy as np
import torch

from novum.arenas.sequence.cost import PREDICTED_BATCHES
from novum.arenas.sequence.fairness import stacks
from novum.arenas.sequence.options import Options
from novum.arenas.sequence.score import encode_loss, held_out_sequences, training_sequences
from novum.arenas.sequence.space import space
from novum.arenas.sequence.task_list import NamedTask
from novum.arenas.sequence.tasks.task import Ints
from novum.core.model.candidate import Candidate, Genome
from novum.core.model.errors import StudyError
from novum.core.model.run_progress import Curve
from novum.core.model.trial import OutcomeKind, Trial, TrialGroup, TrialOutput
from novum.population.instruments import PROBED, SAMPLES, Instruments, dead_layers, states
from novum.population.network import Network
from novum.population.predicting import predict
from novum.population.recipe import Member, Recipe
from novum.population.stack import Stack
from novum.population.static_check import broken_promise
from novum.population.training import Ending, Trained, train

READINGS = 24
"""Of the training loss, that are kept."""


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
    made = stacks(space(options).validate(group.candidate.genome), options)
    for stack in set(made):
        if broken := broken_promise(Network(stack)):
            return [TrialOutput(trial.id, failure=OutcomeKind.INVALID, cause=broken) for trial in group.trials]
    members = [_member(trial) for trial in group.trials]
    told = [_trained(group, options, one, stack, members) for one, stack in zip(options.named, made, strict=True)]
    return [_output(trial, [each[row] for each in told]) for row, trial in enumerate(group.trials)]


@dataclass(frozen=True)
class _Told:
    """What became of a member on one task."""

    name: str
    trained: Trained
    piece: bytes
    """Its part of the artefact; empty where its parameters are not finite."""
    facts: dict[str, float]
    seconds: float
    """CPU seconds of its share of the training."""


def _output(trial: Trial, told: list[_Told]) -> TrialOutput:
    for one in told:
        if one.trained.ending is Ending.DIVERGED or not one.piece:
            cause = f"{one.name}: loss or parameters not finite from step {len(one.trained.losses)}"
            return TrialOutput(trial.id, failure=OutcomeKind.DIVERGED, cause=cause)
    facts = {
        f"{name} on {one.name}" if len(told) > 1 else name: value for one in told for name, value in one.facts.items()
    }
    return TrialOutput(trial.id, b"".join(one.piece for one in told), facts=facts, curve=_curve(told))


def _curve(told: list[_Told]) -> Curve:
    """Training loss over CPU seconds, smoothed: the mean over tasks at the same share of their steps."""
    seconds, points = sum(one.seconds for one in told), min(READINGS, *(len(one.trained.losses) for one in told))
    found = []
    for point in range(points):
        parts = []
        for one in told:
            losses = one.trained.losses
            parts.append(losses[point * len(losses) // points : (point + 1) * len(losses) // points])
        mean = sum(sum(part) / len(part) for part in parts) / len(parts)
        found.append((seconds * (point + 1) / points, mean))
    return tuple(found)


def _trained(group: TrialGroup, options: Options, one: NamedTask, stack: Stack, members: list[Member]) -> list[_Told]:
    """All members trained on one task, with what they say of its held-out sequences."""
    steps, network = max(1, round(options.steps * group.fidelity)), Network(stack)
    probe = [training_sequences(options, one, group.role, trial.seed, 0, PROBED) for trial in group.trials]
    tokens, positions = _tensors([x.tokens for x in probe], options), _tensors([x.positions for x in probe], options)
    instruments = Instruments(network, tokens, positions, max(1, steps // SAMPLES))
    began = time.process_time()
    training = train(
        network,
        Recipe(steps, options.batch, options.warmup, options.clip),
        members,
        lambda seed, block, rows: training_sequences(options, one, group.role, seed, block, rows),
        places=options.places,
        compiling=options.compiling,
        observe=instruments,
        device=options.device,
    )
    seconds = (time.process_time() - began) / len(members)
    leaf = torch.stack([made.parameters for made in training.members])
    kept = states(network, leaf, tokens) if not stack.slots else {}
    said = _said(group, options, one, network, leaf)
    out = []
    for row, made in enumerate(training.members):
        facts = {"training loss": made.losses[-1], "gradient norm": median(made.gradient_norms[-steps // 10 - 1 :])}
        last = instruments.last(row)
        facts |= last | ({"dead layers": float(len(dead_layers(last)))} if last else {})
        facts |= {name: values[row] for name, values in kept.items()}
        facts |= {"compiled": float(training.step.compiled), "group_seconds_per_step": seconds * len(members) / steps}
        out.append(_Told(one.name, made, said[row], {name: x for name, x in facts.items() if isfinite(x)}, seconds))
    return out


def _tensors(arrays: list[Ints], options: Options) -> torch.Tensor:
    return torch.from_numpy(np.stack(arrays)).to(options.device)


def _said(group: TrialGroup, options: Options, one: NamedTask, network: Network, leaf: torch.Tensor) -> list[bytes]:
    """Each member's part of its artefact; empty where its parameters are not finite."""
    held = [held_out_sequences(options, one, group.role, trial.seed) for trial in group.trials]
    tokens, positions = _tensors([x.tokens for x in held], options), _tensors([x.positions for x in held], options)
    said = predict(network, leaf, tokens, positions, PREDICTED_BATCHES * options.batch)
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
