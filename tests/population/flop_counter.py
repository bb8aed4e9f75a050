"""Counts FLOP of matrix products and triangular solves while a function runs: 2 per multiply-add."""

import math

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class _Counter(TorchDispatchMode):
    def __init__(self):
        self.flop = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = str(function).split(".")[1]
        if name in ("bmm", "mm"):
            a, b = args[:2]
            self.flop += 2 * a.shape[:-1].numel() * a.shape[-1] * b.shape[-1]
        elif name in ("baddbmm", "addmm"):
            _, a, b = args[:3]
            self.flop += 2 * a.shape[:-1].numel() * a.shape[-1] * b.shape[-1]
        elif name in ("linalg_solve_triangular", "unit_lower_solve"):
            a, b = args[:2]
            self.flop += math.prod(a.shape[:-2]) * a.shape[-1] ** 2 * b.shape[-1]
        return function(*args, **(kwargs or {}))


def counted(run):
    with _Counter() as counter, torch.no_grad():
        run()
    return counter.flop
