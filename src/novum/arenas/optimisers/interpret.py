"""Update rules in PyTorch: one operation after the other, for all members of a population at once.

Registers hold a matrix [P, rows, columns] or a number [P, 1, 1] for each of P members.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from novum.arenas.optimisers.constants import COEFFICIENTS, ROUNDS, TINY
from novum.symbolic.program import Code
from novum.symbolic.program_language import Language

Registers = dict[str, Tensor]


def fresh_registers(language: Language, like: Tensor) -> Registers:
    """All registers at zero, for a parameter [P, rows, columns]."""
    number = like.new_zeros(like.shape[0], 1, 1)
    return {name: number if kind == "s" else torch.zeros_like(like) for name, kind in language.kinds.items()}


def run(part: Code, registers: Registers) -> None:
    """Execute a component; registers get new tensors, none is changed in place."""
    for one in part:
        operands = [registers[name] for name in one.operands]
        if one.operation == "const":
            registers[one.out] = torch.full_like(registers[one.out], one.constant)
        elif one.operation == "interp_m":
            registers[one.out] = (1 - one.constant) * operands[0] + one.constant * operands[1]
        else:
            registers[one.out] = _MEANING[one.operation](*operands)


def orthogonalised(x: Tensor) -> Tensor:
    """Singular values brought to about one, [P, rows, columns], by five rounds of a quintic Newton-Schulz iteration."""
    tall = x.shape[-2] > x.shape[-1]
    y = x.mT if tall else x
    y = y / y.flatten(1).norm(dim=1)[:, None, None].clamp_min(TINY)
    first, third, fifth = COEFFICIENTS
    for _ in range(ROUNDS):
        square = y @ y.mT
        y = first * y + (third * square + fifth * (square @ square)) @ y
    out: Tensor = y.mT if tall else y
    return out


def _orthogonal(x: Tensor) -> Tensor:
    """At root mean square one where all singular values are (arXiv 2502.16982, section 2.2)."""
    scale: float = max(x.shape[-2:]) ** 0.5
    return orthogonalised(x) * scale


def _unit(x: Tensor, over: tuple[int, ...]) -> Tensor:
    return x / x.square().mean(over, keepdim=True).sqrt().clamp_min(TINY)


def _clip(most: Tensor, x: Tensor) -> Tensor:
    length = x.square().mean((1, 2), keepdim=True).sqrt().clamp_min(TINY)
    return x * (most / length).clamp_max(1.0)


def _cautious(x: Tensor, by: Tensor) -> Tensor:
    kept = (x * by > 0).to(x.dtype)
    return x * kept / kept.mean((1, 2), keepdim=True).clamp_min(TINY)


def _root(x: Tensor) -> Tensor:
    return x.abs().sqrt()


_MEANING: dict[str, Callable[..., Tensor]] = {
    **dict.fromkeys(("add_s", "add_m", "shift_m"), torch.add),
    **dict.fromkeys(("sub_s", "sub_m"), torch.sub),
    **dict.fromkeys(("mul_s", "mul_m", "scale_m"), torch.mul),
    **dict.fromkeys(("div_s", "div_m"), torch.div),
    **dict.fromkeys(("max_s", "max_m"), torch.maximum),
    **dict.fromkeys(("abs_s", "abs_m"), torch.abs),
    **dict.fromkeys(("sqrt_s", "sqrt_m"), _root),
    **dict.fromkeys(("sign_s", "sign_m"), torch.sign),
    "min_s": torch.minimum,
    "step_s": lambda a: (a > 0).to(a.dtype),
    "exp_s": torch.exp,
    "norm_m": lambda a: a.flatten(1).norm(dim=1)[:, None, None],
    "copy_m": lambda a: a,
    "clip_m": _clip,
    "cautious_m": _cautious,
    "unit_m": lambda a: _unit(a, (1, 2)),
    "unit_rows": lambda a: _unit(a, (2,)),
    "unit_columns": lambda a: _unit(a, (1,)),
    "row_mean": lambda a: a.mean(2, keepdim=True).expand_as(a),
    "column_mean": lambda a: a.mean(1, keepdim=True).expand_as(a),
    "orthogonal_m": _orthogonal,
}
