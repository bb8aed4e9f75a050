"""Update rules compiled by numba, for one square parameter at a time; equal to `interpret` up to rounding.

cells is (registers + ROOM, n * n): each register is a row, a number at the first place of its row; the last ROOM rows
are room for what an operation needs beside. Codes are those of `operations.CODES`.
"""

from __future__ import annotations

import math
from typing import Any

from novum.arenas.optimisers.constants import COEFFICIENTS, ROUNDS, TINY
from novum.symbolic.compiling import compiled
from novum.symbolic.operations import CODES

ROOM = 2
FIRST, THIRD, FIFTH = COEFFICIENTS
CONST, ADD_S, SUB_S, MUL_S, DIV_S = (CODES[name] for name in ("const", "add_s", "sub_s", "mul_s", "div_s"))
MAX_S, MIN_S, ABS_S, SQRT_S = (CODES[name] for name in ("max_s", "min_s", "abs_s", "sqrt_s"))
STEP_S, SIGN_S, EXP_S = (CODES[name] for name in ("step_s", "sign_s", "exp_s"))
ADD_M, SUB_M, MUL_M, DIV_M, MAX_M = (CODES[name] for name in ("add_m", "sub_m", "mul_m", "div_m", "max_m"))
ABS_M, SQRT_M, SIGN_M, COPY_M = (CODES[name] for name in ("abs_m", "sqrt_m", "sign_m", "copy_m"))
SCALE_M, SHIFT_M, INTERP_M = (CODES[name] for name in ("scale_m", "shift_m", "interp_m"))
NORM_M, CLIP_M, UNIT_M, ORTHOGONAL_M = (CODES[name] for name in ("norm_m", "clip_m", "unit_m", "orthogonal_m"))
UNIT_ROWS, UNIT_COLUMNS, ROW_MEAN, COLUMN_MEAN = (
    CODES[name] for name in ("unit_rows", "unit_columns", "row_mean", "column_mean")
)


@compiled
def sign(x: float) -> float:
    """-1, 0 or 1; 0 of what is no number."""
    return (1.0 if x > 0 else 0.0) - (1.0 if x < 0 else 0.0)


@compiled
def number(op: int, a: float, b: float, c: float) -> float:
    """From numbers to a number."""
    if op == CONST:
        return c
    if op == ADD_S:
        return a + b
    if op == SUB_S:
        return a - b
    if op == MUL_S:
        return a * b
    if op == DIV_S:
        return a / b
    if op == MAX_S:
        return b if b > a or b != b else a
    if op == MIN_S:
        return b if b < a or b != b else a
    if op == ABS_S:
        return abs(a)
    if op == SQRT_S:
        return math.sqrt(abs(a))
    if op == STEP_S:
        return 1.0 if a > 0 else 0.0
    if op == SIGN_S:
        return sign(a)
    return math.exp(a)


@compiled
def elements(out: Any, op: int, a: Any, b: Any, c: float) -> bool:
    """By element, or of a number and each element; returns whether `op` is such an operation."""
    count = len(out)
    if op == ADD_M:
        for j in range(count):
            out[j] = a[j] + b[j]
    elif op == SUB_M:
        for j in range(count):
            out[j] = a[j] - b[j]
    elif op == MUL_M:
        for j in range(count):
            out[j] = a[j] * b[j]
    elif op == DIV_M:
        for j in range(count):
            out[j] = a[j] / b[j]
    elif op == MAX_M:
        for j in range(count):
            out[j] = b[j] if b[j] > a[j] or b[j] != b[j] else a[j]
    elif op == ABS_M:
        for j in range(count):
            out[j] = abs(a[j])
    elif op == SQRT_M:
        for j in range(count):
            out[j] = math.sqrt(abs(a[j]))
    elif op == SIGN_M:
        for j in range(count):
            out[j] = sign(a[j])
    elif op == COPY_M:
        for j in range(count):
            out[j] = a[j]
    elif op == INTERP_M:
        for j in range(count):
            out[j] = (1.0 - c) * a[j] + c * b[j]
    elif op == SCALE_M:
        x = a[0]
        for j in range(count):
            out[j] = x * b[j]
    elif op == SHIFT_M:
        x = a[0]
        for j in range(count):
            out[j] = x + b[j]
    else:
        return False
    return True


@compiled
def squares(x: Any, start: int, count: int, step: int) -> float:
    """The sum of so many squares."""
    total = 0.0
    for j in range(count):
        total += x[start + j * step] * x[start + j * step]
    return total


@compiled
def lines(out: Any, a: Any, n: int, rows: bool, lengths: bool) -> None:
    """Rows or columns brought to root mean square 1, or each replaced by its mean."""
    step = 1 if rows else n
    for line in range(n):
        start = line * n if rows else line
        if lengths:
            length = max(math.sqrt(squares(a, start, n, step) / n), TINY)
            for j in range(n):
                out[start + j * step] = a[start + j * step] / length
        else:
            total = 0.0
            for j in range(n):
                total += a[start + j * step]
            for j in range(n):
                out[start + j * step] = total / n


@compiled
def whole(out: Any, op: int, a: Any, b: Any) -> None:
    """What looks at all elements: a norm, a length, a share."""
    count = len(out)
    if op == NORM_M:
        out[0] = math.sqrt(squares(a, 0, count, 1))
    elif op == UNIT_M:
        length = max(math.sqrt(squares(a, 0, count, 1) / count), TINY)
        for j in range(count):
            out[j] = a[j] / length
    elif op == CLIP_M:
        factor = min(a[0] / max(math.sqrt(squares(b, 0, count, 1) / count), TINY), 1.0)
        for j in range(count):
            out[j] = b[j] * factor
    else:
        kept = 0
        for j in range(count):
            kept += a[j] * b[j] > 0
        share = max(kept / count, TINY)
        for j in range(count):
            out[j] = a[j] / share if a[j] * b[j] > 0 else 0.0 * a[j]


@compiled
def product(out: Any, a: Any, b: Any, n: int) -> None:
    """The product a b, matrices by row; out is neither."""
    for j in range(n * n):
        out[j] = 0.0
    for i in range(n):
        row = out[i * n : (i + 1) * n]
        for k in range(n):
            x, other = a[i * n + k], b[k * n : (k + 1) * n]
            for j in range(n):
                row[j] += x * other[j]


@compiled
def orthogonal(out: Any, a: Any, n: int, square: Any, room: Any) -> None:
    """Singular values brought to about one, at root mean square one; a and out may be the same."""
    length = max(math.sqrt(squares(a, 0, n * n, 1)), TINY)
    for j in range(n * n):
        out[j] = a[j] / length
    for _ in range(ROUNDS):
        for i in range(n):
            for j in range(n):
                room[j * n + i] = out[i * n + j]
        product(square, out, room, n)
        product(room, square, square, n)
        for j in range(n * n):
            square[j] = THIRD * square[j] + FIFTH * room[j]
        for i in range(n):
            square[i * n + i] += FIRST
        product(room, square, out, n)
        for j in range(n * n):
            out[j] = room[j]
    for j in range(n * n):
        out[j] *= math.sqrt(n)


@compiled
def execute(cells: Any, words: Any, constants: Any, start: int, stop: int, n: int) -> None:
    """Run instructions start to stop; words: (instructions, 4) of operation and registers by number."""
    last = len(cells)
    for line in range(start, stop):
        op = words[line, 0]
        out, a, b = cells[words[line, 1]], cells[words[line, 2]], cells[words[line, 3]]
        if op <= EXP_S:
            out[0] = number(op, a[0], b[0], constants[line])
        elif elements(out, op, a, b, constants[line]):
            pass
        elif op == ORTHOGONAL_M:
            orthogonal(out, a, n, cells[last - 1], cells[last - 2])
        elif op in (UNIT_ROWS, UNIT_COLUMNS):
            lines(out, a, n, op == UNIT_ROWS, True)
        elif op in (ROW_MEAN, COLUMN_MEAN):
            lines(out, a, n, op == ROW_MEAN, False)
        else:
            whole(out, op, a, b)
