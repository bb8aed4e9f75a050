"""The process that measures one mixer at one length of context: `python -m novum.arenas.sequence.context_trial`."""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from dataclasses import asdict

import torch
from torch import Tensor

from novum.arenas.sequence.context_cost import ContextCost
from novum.population.mixers.named import NAMED
from novum.population.network import Network, state_size
from novum.population.stack import Layer, Stack

WIDTH, HEADS, KEY, VOCABULARY = 32, 1, 16, 64
SHORT = 64
"""Tokens of the pass before memory is measured."""
DECODED = 16
"""Tokens that are decoded behind the context."""


def main() -> None:
    """Measure the mixer and length of the command line, and print one line of JSON."""
    mixer, length = sys.argv[1], int(sys.argv[2])
    print(json.dumps(asdict(_measure(mixer, length))))


def _measure(mixer: str, length: int) -> ContextCost:
    torch.set_num_threads(1)
    stack = Stack(VOCABULARY, VOCABULARY, WIDTH, (Layer(NAMED[mixer].make(HEADS, KEY, WIDTH), 4),))
    network = Network(stack)
    leaf = torch.from_numpy(stack.layout.initial([0]))
    rng = torch.Generator().manual_seed(0)
    tokens = torch.randint(0, VOCABULARY, (1, 1, length), generator=rng)
    positions = torch.arange(length)[None, None]

    def train(size: int) -> None:
        taken = leaf.detach().requires_grad_()
        loss = network.losses(taken, tokens[..., :size], positions[..., :size], tokens[..., :size])
        torch.autograd.grad(loss.sum(), taken)

    train(SHORT)
    before = _peak_bytes()
    train(length)
    grown = _peak_bytes() - before
    seconds: list[float] = []
    while len(seconds) < 3 or (sum(seconds) < 0.3 and len(seconds) < 30):
        began = time.process_time()
        train(length)
        seconds.append(time.process_time() - began)
    return ContextCost(mixer, length, statistics.median(seconds), max(grown, 1), *_decoded(network, leaf, tokens))


def _decoded(network: Network, leaf: Tensor, tokens: Tensor) -> tuple[float, int]:
    """Seconds per token behind the whole sequence, and floats of the state there."""
    seconds = []
    with torch.no_grad():
        w = network.take_apart(leaf)
        state = network.read(w, tokens)
        for place in range(DECODED):
            began = time.process_time()
            _, state = network.step(w, tokens[:, :, place], state)
            seconds.append(time.process_time() - began)
    return statistics.median(seconds), state_size(state)


def _peak_bytes() -> int:
    """Peak resident memory of this process so far (Linux: kibibytes; macOS: bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main()
