"""A training step as one compiled graph: traced once with its backward pass and optimiser, then fused by inductor.

What is compiled is kept on disk and read again by later processes; without a C++ compiler the eager step runs.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from novum.population.network import Network
from novum.population.training_step import TrainingStep

Run = Callable[..., tuple[Tensor, ...]]

COLD_SECONDS = 12.0
WARM_SECONDS = 1.0
SAVED_SECONDS = 4e-4
"""CPU seconds of a compilation, of reading it from disk, and saved per step and member: orders of magnitude of small
networks on one core, from which it is judged whether compiling pays (benchmarks/training.py measures them)."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The step that will run, and the CPU seconds that making it took. `note`: why it is not compiled, if it is not."""

    run: Run
    compiled: bool
    cpu_seconds: float = 0.0
    note: str = ""


def choose(step: TrainingStep, example: Sequence[Tensor], members: int, steps: int, mode: str = "auto") -> Chosen:
    """The compiled step where it pays (`auto`), wherever it can be made (`always`), or the eager one (`never`)."""
    if mode == "never":
        return Chosen(step, compiled=False, note="not asked for")
    if not has_compiler():
        return Chosen(step, compiled=False, note="no C++ compiler on this machine: install g++ for a faster step")
    marker = _marker(step, example)
    cost = WARM_SECONDS if marker.exists() else COLD_SECONDS
    if mode == "auto" and members * steps * SAVED_SECONDS < 2 * cost:
        return Chosen(step, compiled=False, note="too short a training for a compilation to pay")
    began = _cpu_seconds()
    try:
        run = compile_step(step, example)
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
    except Exception as error:  # a compiler that fails, a full disk, an operation that it does not know
        note = f"compiling failed: {type(error).__name__}: {str(error)[:200]}"
        return Chosen(step, compiled=False, cpu_seconds=_cpu_seconds() - began, note=note)
    return Chosen(run, compiled=True, cpu_seconds=_cpu_seconds() - began)


def _cpu_seconds() -> float:
    """Of this process and of the compilers that it started."""
    spent = os.times()
    return time.process_time() + spent.children_user + spent.children_system


def has_compiler() -> bool:
    """Whether there is a C++ compiler."""
    return any(shutil.which(name) for name in (os.environ.get("CXX"), "g++", "clang++") if name)


def compile_step(step: TrainingStep, example: Sequence[Tensor]) -> Run:
    """`step` for arguments of the shapes of `example`, as one compiled function."""
    with warnings.catch_warnings():
        # What torch's compiler imports warns of its own old parts.
        warnings.simplefilter("ignore", DeprecationWarning)
        return _compiled(step, example)


def _compiled(step: TrainingStep, example: Sequence[Tensor]) -> Run:
    from torch._guards import TracingContext, tracing
    from torch._inductor import compile as inductor
    from torch._inductor import config
    from torch._subclasses import FakeTensorMode
    from torch.fx.experimental.proxy_tensor import make_fx
    from torch.fx.experimental.symbolic_shapes import ShapeEnv

    traced = replace(step, network=Network(step.network.stack, traced=True))
    graph = make_fx(traced, tracing_mode="real")(*example)
    # The cache on disk needs to know that all shapes are static; it learns so from a tracing context.
    context = TracingContext(FakeTensorMode(shape_env=ShapeEnv(), static_shapes=True))
    with config.patch(compile_threads=1, cpp_wrapper=True), tracing(context), torch.no_grad():
        run: Any = inductor(graph, list(example))
        run(*example)
    return run  # type: ignore[no-any-return]  # called with the arguments of the step


def cache_directory() -> Path:
    """Where inductor keeps what it compiled."""
    from torch._inductor.runtime.cache_dir_utils import cache_dir

    return Path(cache_dir())


def _marker(step: TrainingStep, example: Sequence[Tensor]) -> Path:
    """A file that stands for a compilation that is on disk."""
    shapes = [(tuple(x.shape), str(x.dtype), str(x.device)) for x in example]
    word = f"{torch.__version__} {step.network.stack!r} {step.recipe!r} {shapes}"
    return cache_directory() / f"novum-{hashlib.sha256(word.encode()).hexdigest()[:24]}"
