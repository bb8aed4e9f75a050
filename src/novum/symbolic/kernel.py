"""The interpreter of programs, compiled by numba; equal to `interpreter` bit for bit.

Loops over lanes have a constant length, so that the compiler turns them into wide instructions. Addresses are unsigned:
signed ones would be tested for counting from the end. cells is the flat memory of `machine.Layout`; w one row of
`MachineCode.words`; `scratch` where room for results begins that cannot be written at once.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from novum.symbolic.compiling import compiled
from novum.symbolic.lanes import NOUGHT, add, load, mul, store
from novum.symbolic.machine import LANES
from novum.symbolic.operations import CODES

L = np.uint64(LANES)
ZERO = np.uint64(0)

SUMS, ELEMENTS, BROADCASTS, PRODUCTS = (CODES[name] for name in ("dot", "add_v", "scale_v", "matvec"))
"""The first code of each group of operations."""

(CONST, ADD_S, SUB_S, MUL_S, DIV_S, MAX_S, MIN_S, ABS_S, SQRT_S, STEP_S, SIGN_S) = range(11)
DOT, NORM_V, SUM_V, NORM_M = (CODES[name] for name in ("dot", "norm_v", "sum_v", "norm_m"))
ADD_V, SUB_V, MUL_V, DIV_V = (CODES[name] for name in ("add_v", "sub_v", "mul_v", "div_v"))
ADD_M, SUB_M, MUL_M = (CODES[name] for name in ("add_m", "sub_m", "mul_m"))
SCALE_V, SCALE_M, MAX_V, FILL_V = (CODES[name] for name in ("scale_v", "scale_m", "max_v", "fill_v"))
RELU_V, STEP_V, SIGN_V, ABS_V, SQRT_V = (CODES[f"{name}_v"] for name in ("relu", "step", "sign", "abs", "sqrt"))
MATVEC, VECMAT, MATMUL, OUTER = (CODES[name] for name in ("matvec", "vecmat", "matmul", "outer"))
COLUMNS_M = CODES["columns_m"]


@compiled
def functions(cells: Any, op: Any, o: Any, a: Any) -> None:
    """From one scalar to a scalar."""
    if op == ABS_S:
        for k in range(L):
            cells[o + k] = abs(cells[a + k])
    elif op == SQRT_S:
        for k in range(L):
            cells[o + k] = math.sqrt(abs(cells[a + k]))
    elif op == STEP_S:
        for k in range(L):
            cells[o + k] = 1.0 if cells[a + k] > 0 else 0.0
    elif op == SIGN_S:
        for k in range(L):
            cells[o + k] = (1.0 if cells[a + k] > 0 else 0.0) - (1.0 if -cells[a + k] > 0 else 0.0)
    else:
        for k in range(L):
            cells[o + k] = math.exp(cells[a + k])


@compiled
def scalars(cells: Any, op: Any, o: Any, a: Any, b: Any, c: float) -> None:
    """From scalars to a scalar."""
    if op == CONST:
        for k in range(L):
            cells[o + k] = c
    elif op == ADD_S:
        for k in range(L):
            cells[o + k] = cells[a + k] + cells[b + k]
    elif op == SUB_S:
        for k in range(L):
            cells[o + k] = cells[a + k] - cells[b + k]
    elif op == MUL_S:
        for k in range(L):
            cells[o + k] = cells[a + k] * cells[b + k]
    elif op == DIV_S:
        for k in range(L):
            cells[o + k] = cells[a + k] / cells[b + k]
    elif op == MAX_S:
        for k in range(L):
            cells[o + k] = cells[a + k] if cells[a + k] > cells[b + k] else cells[b + k]
    elif op == MIN_S:
        for k in range(L):
            cells[o + k] = cells[a + k] if cells[a + k] < cells[b + k] else cells[b + k]
    else:
        functions(cells, op, o, a)


@compiled
def elements(cells: Any, op: Any, o: Any, a: Any, b: Any, length: Any) -> None:
    """By element, over `length` numbers."""
    if op in (ADD_V, ADD_M):
        for j in range(length):
            cells[o + j] = cells[a + j] + cells[b + j]
    elif op in (SUB_V, SUB_M):
        for j in range(length):
            cells[o + j] = cells[a + j] - cells[b + j]
    elif op in (MUL_V, MUL_M):
        for j in range(length):
            cells[o + j] = cells[a + j] * cells[b + j]
    elif op == DIV_V:
        for j in range(length):
            cells[o + j] = cells[a + j] / cells[b + j]
    elif op == MAX_V:
        for j in range(length):
            cells[o + j] = cells[a + j] if cells[a + j] > cells[b + j] else cells[b + j]
    elif op == RELU_V:
        for j in range(length):
            cells[o + j] = cells[a + j] if cells[a + j] > 0 else 0.0
    elif op == STEP_V:
        for j in range(length):
            cells[o + j] = 1.0 if cells[a + j] > 0 else 0.0
    elif op == SIGN_V:
        for j in range(length):
            cells[o + j] = (1.0 if cells[a + j] > 0 else 0.0) - (1.0 if -cells[a + j] > 0 else 0.0)
    elif op == ABS_V:
        for j in range(length):
            cells[o + j] = abs(cells[a + j])
    elif op == SQRT_V:
        for j in range(length):
            cells[o + j] = math.sqrt(abs(cells[a + j]))


@compiled
def broadcasts(cells: Any, op: Any, o: Any, a: Any, b: Any, n: Any) -> None:
    """A scalar with each element, a vector with each row, a vector with a vector."""
    nl = n * L
    if op in (SCALE_V, SCALE_M):
        length = nl if op == SCALE_V else n * nl
        factor = load(cells, a)
        for f in range(ZERO, length, L):
            store(cells, o + f, mul(factor, load(cells, b + f)))
    elif op == FILL_V:
        for f in range(ZERO, nl, L):
            for k in range(L):
                cells[o + f + k] = cells[a + k]
    elif op == OUTER:
        for i in range(ZERO, nl, L):
            row = load(cells, a + i)
            for f in range(ZERO, nl, L):
                store(cells, o + i * n + f, mul(row, load(cells, b + f)))
    elif op == COLUMNS_M:
        for i in range(ZERO, n * nl, nl):
            for j in range(nl):
                cells[o + i + j] = cells[a + i + j] * cells[b + j]
    else:
        for i in range(n):
            for j in range(n):
                for k in range(L):
                    cells[o + i * nl + j * L + k] = (1.0 if i == j else 0.0) * cells[a + k]


@compiled
def sums(cells: Any, op: Any, o: Any, a: Any, b: Any, n: Any) -> None:
    """From vectors or a matrix to a scalar, in the order of elements."""
    length = n * n * L if op == NORM_M else n * L
    total = NOUGHT
    if op == DOT:
        for f in range(ZERO, length, L):
            total = add(total, mul(load(cells, a + f), load(cells, b + f)))
    elif op == SUM_V:
        for f in range(ZERO, length, L):
            total = add(total, load(cells, a + f))
    else:
        for f in range(ZERO, length, L):
            total = add(total, mul(load(cells, a + f), load(cells, a + f)))
    store(cells, o, total)
    if op in (NORM_V, NORM_M):
        for k in range(L):
            cells[o + k] = math.sqrt(cells[o + k])


@compiled
def products(cells: Any, op: Any, o: Any, a: Any, b: Any, n: Any, scratch: Any) -> None:
    """Products of matrices, and the transposed one; results pass through the scratch room."""
    nl = n * L
    length = nl if op in (MATVEC, VECMAT) else n * nl
    for j in range(length):
        cells[scratch + j] = 0.0
    if op == MATVEC:
        for i in range(n):
            total = NOUGHT
            for f in range(ZERO, nl, L):
                total = add(total, mul(load(cells, a + i * nl + f), load(cells, b + f)))
            store(cells, scratch + i * L, total)
    elif op == VECMAT:
        for f in range(n):
            for i in range(n):
                for k in range(L):
                    cells[scratch + i * L + k] += cells[b + f * nl + i * L + k] * cells[a + f * L + k]
    elif op == MATMUL:
        for i in range(n):
            for f in range(n):
                for j in range(n):
                    for k in range(L):
                        cells[scratch + i * nl + j * L + k] += (
                            cells[a + i * nl + f * L + k] * cells[b + f * nl + j * L + k]
                        )
    else:
        for i in range(n):
            for j in range(n):
                for k in range(L):
                    cells[scratch + j * nl + i * L + k] = cells[a + i * nl + j * L + k]
    for j in range(length):
        cells[o + j] = cells[scratch + j]


@compiled
def execute(cells: Any, words: Any, constants: Any, start: Any, stop: Any, n: Any, scratch: Any) -> None:
    """Run the instructions from `start` to `stop`; n: numbers of a vector."""
    nl = n * L
    for line in range(start, stop):
        op, o, a, b = words[line, 0], words[line, 1], words[line, 2], words[line, 3]
        if op < SUMS:
            scalars(cells, op, o, a, b, constants[line])
        elif op < ELEMENTS:
            sums(cells, op, o, a, b, n)
        elif op < BROADCASTS:
            elements(cells, op, o, a, b, nl if op < ADD_M else n * nl)
        elif op < PRODUCTS:
            broadcasts(cells, op, o, a, b, n)
        else:
            products(cells, op, o, a, b, n, scratch)
