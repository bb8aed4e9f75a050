"""Charts of what a token costs over the length of context, both axes logarithmic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import altair as alt

from novum.arenas.sequence.context_cost import ContextCost
from novum.report.charts import Chart, inline

PANELS: tuple[tuple[str, Callable[[ContextCost], float]], ...] = (
    ("training, CPU s a token", lambda one: one.training_seconds / one.length),
    ("training, bytes a token", lambda one: one.training_bytes / one.length),
    ("decoding, CPU s a token", lambda one: one.decoding_seconds),
    ("state, floats", lambda one: one.state_floats),
)


def chart(costs: Sequence[ContextCost]) -> Chart:
    """A panel for each kind of cost, a line for each mixer."""
    panels = [
        inline([{"tokens": one.length, "cost": float(value(one)), "mixer": one.mixer} for one in costs])
        .mark_line(point=True)
        .encode(
            x=alt.X("tokens:Q", title="tokens of context", scale=alt.Scale(type="log", base=2)),
            y=alt.Y("cost:Q", title=None, scale=alt.Scale(type="log"), axis=alt.Axis(format=".0e", tickCount=5)),
            color=alt.Color("mixer:N", title=None),
        )
        .properties(width=300, height=200, title=title)
        for title, value in PANELS
    ]
    shown: Any = alt.concat(*panels, columns=2).properties(background="white")
    return shown  # type: ignore[no-any-return]  # drawn as any chart is
