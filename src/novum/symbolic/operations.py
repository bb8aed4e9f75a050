"""What an instruction can do: operations over registers, with their kinds and how they are written.

Kinds are "s" (scalar), "v" (vector of n numbers) and "m" (matrix, n x n where there are vectors). All are total: 1/0 is
infinite, 0/0 is not a number, and a root is that of the absolute value, so that any program runs.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: `name` tells it from all others; `text` has {a}, {b} for operands and {c} for the constant."""

    name: str
    result: str
    operands: str
    text: str
    constant: bool = False
    commutes: bool = False

    @property
    def places(self) -> tuple[int, ...]:
        """Which of the operands a and b it has."""
        return tuple(range(len(self.operands)))


OPERATIONS = (
    Operation("const", "s", "", "{c}", constant=True),
    Operation("add_s", "s", "ss", "{a} + {b}", commutes=True),
    Operation("sub_s", "s", "ss", "{a} - {b}"),
    Operation("mul_s", "s", "ss", "{a} * {b}", commutes=True),
    Operation("div_s", "s", "ss", "{a} / {b}"),
    Operation("max_s", "s", "ss", "max({a}, {b})", commutes=True),
    Operation("min_s", "s", "ss", "min({a}, {b})", commutes=True),
    Operation("abs_s", "s", "s", "abs({a})"),
    Operation("sqrt_s", "s", "s", "sqrt({a})"),
    Operation("step_s", "s", "s", "step({a})"),
    Operation("sign_s", "s", "s", "sign({a})"),
    Operation("exp_s", "s", "s", "exp({a})"),
    Operation("dot", "s", "vv", "dot({a}, {b})", commutes=True),
    Operation("norm_v", "s", "v", "norm({a})"),
    Operation("sum_v", "s", "v", "sum({a})"),
    Operation("norm_m", "s", "m", "norm({a})"),
    Operation("add_v", "v", "vv", "{a} + {b}", commutes=True),
    Operation("sub_v", "v", "vv", "{a} - {b}"),
    Operation("mul_v", "v", "vv", "{a} * {b}", commutes=True),
    Operation("div_v", "v", "vv", "{a} / {b}"),
    Operation("max_v", "v", "vv", "max({a}, {b})", commutes=True),
    Operation("relu_v", "v", "v", "relu({a})"),
    Operation("step_v", "v", "v", "step({a})"),
    Operation("sign_v", "v", "v", "sign({a})"),
    Operation("abs_v", "v", "v", "abs({a})"),
    Operation("sqrt_v", "v", "v", "sqrt({a})"),
    Operation("add_m", "m", "mm", "{a} + {b}", commutes=True),
    Operation("sub_m", "m", "mm", "{a} - {b}"),
    Operation("mul_m", "m", "mm", "{a} * {b}", commutes=True),
    Operation("scale_v", "v", "sv", "{a} * {b}"),
    Operation("fill_v", "v", "s", "fill({a})"),
    Operation("scale_m", "m", "sm", "{a} * {b}"),
    Operation("columns_m", "m", "mv", "{a} * {b}"),
    Operation("outer", "m", "vv", "outer({a}, {b})"),
    Operation("eye", "m", "s", "eye({a})"),
    Operation("matvec", "v", "mv", "{a} @ {b}"),
    Operation("vecmat", "v", "vm", "{a} @ {b}"),
    Operation("transpose", "m", "m", "transpose({a})"),
    Operation("matmul", "m", "mm", "{a} @ {b}"),
)
"""The compiled interpreter knows them by their codes, in this order: from scalars to a scalar, sums, by element,
broadcasts, products.

`vecmat` is the transposed matrix times the vector, `columns_m` scales column j by the j-th number, `mul_m` is by
element, `eye` is the identity times a scalar, `step` is 1 above zero and 0 elsewhere.
"""

UPDATES = (
    Operation("copy_m", "m", "m", "{a}"),
    Operation("interp_m", "m", "mm", "interp({a}, {b}, {c})", constant=True),
    Operation("div_m", "m", "mm", "{a} / {b}"),
    Operation("max_m", "m", "mm", "max({a}, {b})", commutes=True),
    Operation("abs_m", "m", "m", "abs({a})"),
    Operation("sqrt_m", "m", "m", "sqrt({a})"),
    Operation("sign_m", "m", "m", "sign({a})"),
    Operation("shift_m", "m", "sm", "{a} + {b}"),
    Operation("clip_m", "m", "sm", "clip({a}, {b})"),
    Operation("cautious_m", "m", "mm", "cautious({a}, {b})"),
    Operation("unit_m", "m", "m", "unit({a})"),
    Operation("unit_rows", "m", "m", "rows({a})"),
    Operation("unit_columns", "m", "m", "columns({a})"),
    Operation("row_mean", "m", "m", "row_mean({a})"),
    Operation("column_mean", "m", "m", "column_mean({a})"),
    Operation("orthogonal_m", "m", "m", "orthogonal({a})"),
)
"""What update rules of matrices need beside; the optimisers arena has a compiled interpreter of its own for them.

`interp` is (1 - c) a + c b (arXiv 2302.06675), `clip` shortens b to the root mean square a, `cautious` keeps a where
its sign is that of b, stretched by the share that is kept (2411.16085); `unit` has the root mean square 1, and so has
each row or column of `rows` and `columns`; means stand in all places of their row or column; `orthogonal` is the
nearest orthogonal matrix at root mean square 1, roughly.
"""

CODED = (*OPERATIONS, *UPDATES)
"""By their codes in programs as arrays."""
CODES = {one.name: code for code, one in enumerate(CODED)}
BY_NAME = {one.name: one for one in CODED}
