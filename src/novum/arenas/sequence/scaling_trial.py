"""The process that trains one cell of a scaling law: `python -m novum.arenas.sequence.scaling_trial`.

It reads one `CellRequest` or `SpeedRequest` as JSON from standard input and prints one line of JSON. It ends when the
process that started it is gone.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
import torch

from novum.arenas.sequence.options import Options
from novum.arenas.sequence.scaling_cell import CellRequest, CellResult, RunResult, SpeedRequest, SpeedResult
from novum.arenas.sequence.scaling_plan import sized
from novum.arenas.sequence.score import held_out_sequences, training_sequences
from novum.core.model.trial import Role
from novum.population.network import Network
from novum.population.predicting import predict
from novum.population.recipe import Member, Recipe
from novum.population.stack import Stack
from novum.population.training import Training, train

SCORED_TOKENS = 4096
"""That are predicted at once."""


def main() -> None:
    """Answer the request on standard input."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    asked = json.load(sys.stdin)
    if "widths" in asked:
        print(json.dumps(asdict(_measured(SpeedRequest(**asked)))))
    else:
        print(json.dumps(asdict(_cell(CellRequest(**asked)))))


def _end_with(parent: int) -> None:
    """End this process soon after the one that started it."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _cell(asked: CellRequest) -> CellResult:
    """The sweep on one seed, then the runs at its best rate on fresh ones, whose noise played no part in the choice."""
    options = Options.taken(asked.options)
    stack = sized(options, asked.genome, asked.width)
    sweep = _runs(options, stack, asked.steps, [(asked.sweep_seed, rate) for rate in asked.rates], asked.sequences)
    sound = [one for one in sweep if one.loss is not None]
    best = min(sound, key=lambda one: (one.loss, one.rate)).rate if sound else min(asked.rates)
    runs = _runs(options, stack, asked.steps, [(seed, best) for seed in asked.seeds], asked.sequences)
    return CellResult(best, tuple(sweep), tuple(runs), time.process_time(), torch.__version__)


def _runs(
    options: Options, stack: Stack, steps: int, wanted: Sequence[tuple[int, float]], sequences: int
) -> list[RunResult]:
    """Trained side by side, each scored on sequences of its own seed that no training has."""
    training = _trained(options, stack, steps, [Member(seed, rate) for seed, rate in wanted])
    losses = _losses(replace(options, held_out=sequences), stack, training)
    return [RunResult(seed, rate, loss) for (seed, rate), loss in zip(wanted, losses, strict=True)]


def _trained(options: Options, stack: Stack, steps: int, members: list[Member]) -> Training:
    one = options.named[0]
    return train(
        Network(stack),
        Recipe(steps, options.batch, options.warmup, options.clip),
        members,
        lambda seed, block, rows: training_sequences(options, one, Role.SEARCH, seed, block, rows),
        places=options.places,
        compiling=options.compiling,
        device=options.device,
    )


def _losses(options: Options, stack: Stack, training: Training) -> list[float | None]:
    """Mean negative log-likelihood in nats over scored positions, summed in double precision; None if not finite."""
    found: list[float | None] = []
    size = max(1, SCORED_TOKENS // options.named[0].task.length)
    for made in training.members:
        held = held_out_sequences(options, options.named[0], Role.SEARCH, made.member.seed)
        tokens, positions = (torch.from_numpy(x[None]).to(options.device) for x in (held.tokens, held.positions))
        answers = torch.from_numpy(held.answers).to(options.device)
        said = predict(Network(stack), made.parameters[None], tokens, positions, size)
        parts = zip(said, torch.split(answers, size), strict=True)
        # In single precision the probabilities sum to 1 within 1e-6 only.
        chosen = [part[0].double().log_softmax(-1).gather(-1, own[..., None])[..., 0] for part, own in parts]
        loss = -float(torch.cat(chosen).cpu().numpy()[held.scored].mean())
        found.append(loss if np.isfinite(loss) else None)
    return found


def _measured(asked: SpeedRequest) -> SpeedResult:
    """CPU seconds of a step at each width, of the sweep and of the repeats together."""
    began, seconds = time.process_time(), []
    options = replace(Options.taken(asked.options), compiling="never")
    for width in asked.widths:
        stack = sized(options, asked.genome, width)
        total = 0.0
        for members in (asked.sweep, asked.repeats):
            each = [Member(seed, 0.01) for seed in range(members)]
            total += statistics.median(_trained(options, stack, 8, each).cpu_seconds / 8 for _ in range(3))
        seconds.append(total)
    return SpeedResult(tuple(seconds), began)


if __name__ == "__main__":
    main()
