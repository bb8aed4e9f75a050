"""Programs in plain numpy, one operation after the other: what the compiled interpreter must equal, bit for bit.

Registers hold `lanes` independent values at once (tasks or streams): a scalar is (lanes,), a vector (n, lanes), a
matrix (n, n, lanes). Sums run from the first element to the last, so that their rounding is defined.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from novum.symbolic.program import Code
from novum.symbolic.program_language import Language

Floats = NDArray[np.float64]
Registers = dict[str, Floats]


def fresh_registers(language: Language, size: int, lanes: int) -> Registers:
    """All registers at zero."""
    shapes = {"s": (lanes,), "v": (size, lanes), "m": (size, size, lanes)}
    return {name: np.zeros(shapes[kind]) for name, kind in language.kinds.items()}


def run(part: Code, registers: Registers) -> None:
    """Execute a component; writes into `registers`."""
    with np.errstate(all="ignore"):
        for one in part:
            out, operands = registers[one.out], [registers[name] for name in one.operands]
            if one.operation == "const":
                value = np.full_like(out, one.constant)
            elif one.operation == "eye":
                value = np.eye(len(out))[:, :, None] * operands[0]
            else:
                value = _MEANING[one.operation](*operands)
            registers[one.out] = np.array(np.broadcast_to(value, out.shape))


def _total(x: Floats) -> Floats:
    """Sum over the first axis, in order."""
    out = np.zeros(x.shape[1:])
    for row in x:
        out = out + row
    return out


def _matvec(a: Floats, b: Floats) -> Floats:
    return _total(np.swapaxes(a, 0, 1) * b[:, None])


def _step(x: Floats) -> Floats:
    return (x > 0).astype(float)


def _sign(x: Floats) -> Floats:
    return _step(x) - _step(-x)


def _exp(x: Floats) -> Floats:
    """By the C library, as compiled code does it; numpy's own rounds differently."""
    return np.array([math.inf if value > 709.782712893384 else math.exp(value) for value in x])


def _smaller(a: Floats, b: Floats) -> Floats:
    return np.where(a < b, a, b)


def _larger(a: Floats, b: Floats) -> Floats:
    return np.where(a > b, a, b)


_MEANING: dict[str, Callable[..., Floats]] = {
    "add_s": np.add,
    "sub_s": np.subtract,
    "mul_s": np.multiply,
    "div_s": np.divide,
    "max_s": _larger,
    "min_s": _smaller,
    "abs_s": np.abs,
    "sqrt_s": lambda a: np.sqrt(np.abs(a)),
    "step_s": _step,
    "sign_s": _sign,
    "exp_s": _exp,
    "dot": lambda a, b: _total(a * b),
    "norm_v": lambda a: np.sqrt(_total(a * a)),
    "sum_v": _total,
    "norm_m": lambda a: np.sqrt(_total((a * a).reshape(-1, a.shape[-1]))),
    "add_v": np.add,
    "sub_v": np.subtract,
    "mul_v": np.multiply,
    "div_v": np.divide,
    "max_v": _larger,
    "scale_v": lambda a, b: a * b,
    "fill_v": lambda a: a[None],
    "relu_v": lambda a: np.where(a > 0, a, 0.0),
    "step_v": _step,
    "sign_v": _sign,
    "abs_v": np.abs,
    "sqrt_v": lambda a: np.sqrt(np.abs(a)),
    "matvec": _matvec,
    "vecmat": lambda a, b: _matvec(np.swapaxes(b, 0, 1), a),
    "add_m": np.add,
    "sub_m": np.subtract,
    "mul_m": np.multiply,
    "scale_m": lambda a, b: a * b,
    "columns_m": lambda a, b: a * b[None],
    "outer": lambda a, b: a[:, None] * b[None],
    "transpose": lambda a: np.swapaxes(a, 0, 1),
    "matmul": lambda a, b: _total(np.swapaxes(a, 0, 1)[:, :, None] * b[:, None]),
}
