"""The chart of how a learning rule agrees with the gradient: cosine over width, by depth, a panel for each nudge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from novum.report.charts import Chart, inline

COSINE = "cosine with the gradient, mean over layers"


@dataclass(frozen=True, slots=True)
class AgreementCell:
    """A network shape at one nudge: cosine of update and gradient, mean and interval over seeds."""

    width: int
    depth: int
    nudge: float
    cosine: float
    low: float
    high: float


def chart(cells: Sequence[AgreementCell]) -> Chart:
    """A line for each depth; bars are intervals over seeds."""
    panels = [
        _panel([one for one in cells if one.nudge == nudge], nudge) for nudge in sorted({one.nudge for one in cells})
    ]
    shown: Any = alt.concat(*panels, columns=2).properties(background="white")
    return shown  # type: ignore[no-any-return]  # drawn as any chart is


def _panel(cells: Sequence[AgreementCell], nudge: float) -> Chart:
    rows = [
        {"width": one.width, "depth": one.depth, "cosine": one.cosine, "low": one.low, "high": one.high}
        for one in cells
    ]
    x = alt.X("width:Q", title="units of a hidden layer", scale=alt.Scale(type="log", base=2, nice=False, padding=12))
    y = alt.Y("cosine:Q", title=COSINE, scale=alt.Scale(zero=False))
    color = alt.Color("depth:O", title="hidden layers", scale=alt.Scale(scheme="viridis"))
    base = inline(rows)
    bars = base.mark_rule(strokeWidth=2).encode(x=x, y=alt.Y("low:Q", title=COSINE), y2="high:Q", color=color)
    lines = base.mark_line(point=True).encode(x=x, y=y, color=color)
    shown: Any = alt.layer(bars, lines).properties(width=320, height=240, title=f"nudge {nudge:g}")
    return shown  # type: ignore[no-any-return]  # drawn as any chart is
