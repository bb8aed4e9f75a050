"""The chart of predicted probabilities against what came of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import altair as alt

from novum.core.model.errors import UserError
from novum.report.charts import Chart, theme
from novum.text.format import clean, cut
from novum.views.predictions import Bin

WIDTH, HEIGHT = 460, 420
SHARE = "share that was supported"


def chart(authors: Mapping[str, Sequence[Bin]]) -> Chart:
    """Share that came true over predicted probability, by author; on the diagonal predictions are right."""
    rows: list[dict[str, Any]] = [
        {
            "author": cut(author, 60),
            "predicted": one.predicted,
            "true": one.came_true,
            "low": one.interval[0],
            "high": one.interval[1],
            "count": one.count,
        }
        for author, theirs in authors.items()
        for one in theirs
    ]
    unit = alt.Scale(domain=[0, 1], nice=False)
    x = alt.X("predicted:Q", title="predicted probability of support", scale=unit)
    y = alt.Y("true:Q", title=SHARE, scale=unit)
    diagonal = alt.Chart(alt.InlineData(values=[{"predicted": 0, "true": 0}, {"predicted": 1, "true": 1}]))
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=x, color=alt.Color("author:N", title=None))
    size = alt.Size("count:Q", title="predictions", scale=alt.Scale(range=[40, 500]), legend=alt.Legend(orient="right"))
    layers: Any = alt.layer(
        diagonal.mark_line(style="soft", strokeDash=[4, 4]).encode(x=x, y=y),
        base.mark_rule(strokeWidth=1.5, opacity=0.6).encode(y=alt.Y("low:Q", scale=unit, title=SHARE), y2="high:Q"),
        base.mark_circle(opacity=0.85).encode(y=y, size=size),
    )
    shown: Chart = layers.properties(width=WIDTH, height=HEIGHT, background="white")
    return shown


def write(drawn: Chart, path: Path) -> None:
    """Draw it to a file, .svg or .png, with nothing fetched. Raises UserError."""
    import vl_convert

    spec = json.dumps({**drawn.to_dict(), "config": theme()})
    try:
        if path.suffix == ".svg":
            path.write_text(vl_convert.vegalite_to_svg(spec), encoding="utf-8")
        elif path.suffix == ".png":
            path.write_bytes(vl_convert.vegalite_to_png(spec, scale=2))
        else:
            raise UserError(f"{clean(str(path))}: a chart is written as .svg or .png")
    except OSError as error:
        raise UserError(f"{clean(str(path))}: cannot be written: {error.strerror}") from None
