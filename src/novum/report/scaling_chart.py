"""The chart of a scaling study: loss over compute by size, the fitted law, and the cell that it predicted."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np

from novum.arenas.sequence.scaling_summary import ScaledLaw, ScalingSummary
from novum.report.charts import Chart, inline
from novum.scaling.law import FLOP_PER_PARAMETER_TOKEN, ScalingLaw

POINTS = 40
"""On each curve of a law."""
FITTED, HELD_OUT = "fitted", "held out"


def chart(found: ScalingSummary) -> Chart:
    """A panel for each architecture: measured losses as points, the law of each size as a line.

    The prediction is a bar with the interval that was registered, the measured loss of the held-out cell a cross.
    """
    names = dict.fromkeys(one.architecture for one in found.cells)
    laws = {law.architecture: law for law in found.laws}
    panels = [_panel(found, name, laws.get(name)) for name in names]
    shown: Any = alt.concat(*panels, columns=1).properties(background="white")
    return shown  # type: ignore[no-any-return]  # drawn as any chart is


def _panel(found: ScalingSummary, name: str, law: ScaledLaw | None) -> Chart:
    cells = [one for one in found.cells if one.architecture == name and one.loss is not None]
    x = alt.X(
        "compute:Q",
        title="compute of a run, 6 N D in FLOP",
        scale=alt.Scale(type="log", nice=False, padding=12),
        axis=alt.Axis(format=".0e", tickCount=4),
    )
    y = alt.Y("loss:Q", title="loss, nats", scale=alt.Scale(zero=False))
    color = alt.Color(
        "parameters:Q",
        title="parameters",
        scale=alt.Scale(type="log", scheme="viridis"),
        legend=alt.Legend(type="gradient", orient="right", tickCount=4),
    )
    rows = [
        {
            "compute": one.compute,
            "loss": one.loss,
            "parameters": one.parameters,
            "kind": HELD_OUT if one.held_out else FITTED,
        }
        for one in cells
    ]
    shapes = alt.Scale(domain=[FITTED, HELD_OUT], range=["circle", "cross"])
    shape = alt.Shape("kind:N", title=None, scale=shapes, legend=alt.Legend(orient="right"))
    layers: list[Any] = [inline(rows).mark_point(filled=True, size=60).encode(x=x, y=y, color=color, shape=shape)]
    if law is not None and law.law is not None:
        layers.insert(0, inline(_curves(found, name, ScalingLaw(**law.law))).mark_line().encode(x=x, y=y, color=color))
    ahead = [one for one in cells if one.held_out]
    if law is not None and law.prediction is not None and ahead:
        before = law.prediction
        bar = [{"compute": ahead[0].compute, "loss": before.value, "low": before.low, "high": before.high}]
        layers.append(
            inline(bar).mark_rule(strokeWidth=2).encode(x=x, y=alt.Y("low:Q", title="loss, nats"), y2="high:Q")
        )
    if found.entropy is not None:
        floor = inline([{"loss": float(found.entropy)}])
        layers.append(floor.mark_rule(strokeDash=[4, 4], color="#8c8c8c").encode(y=y))
    shown: Any = alt.layer(*layers).properties(width=460, height=320, title=name)
    return shown  # type: ignore[no-any-return]  # drawn as any chart is


def _curves(found: ScalingSummary, name: str, law: ScalingLaw) -> list[dict[str, Any]]:
    """What the law says of each size over the compute that there is."""
    cells = [one for one in found.cells if one.architecture == name]
    low, high = min(one.compute for one in cells), max(one.compute for one in cells)
    rows = []
    for size in sorted({one.parameters for one in cells}):
        for compute in np.geomspace(low, high, POINTS).tolist():
            loss = float(law.loss(size, compute / (FLOP_PER_PARAMETER_TOKEN * size)))
            rows.append({"compute": compute, "loss": loss, "parameters": size})
    return rows
