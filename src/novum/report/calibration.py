"""Predicted probabilities against what came of them: Brier scores, bins, and the chart of both."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import altair as alt

from novum.core.errors import UserError
from novum.report.charts import Chart, theme
from novum.report.words import clean, cut

BINS = 10
WIDTH, HEIGHT = 460, 420
SHARE = "share that was supported"


@dataclass(frozen=True, slots=True)
class Prediction:
    """A probability that was given beforehand, and whether it came true."""

    probability: float
    came_true: bool


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions between two probabilities: how many, their mean, the share that came true (a 90 % interval)."""

    low: float
    high: float
    count: int
    predicted: float
    came_true: float
    interval: tuple[float, float]


def brier(predictions: Sequence[Prediction]) -> float | None:
    """Mean squared error of the probabilities (Brier 1950): 0 is perfect; None without predictions."""
    return fmean((one.probability - one.came_true) ** 2 for one in predictions) if predictions else None


def reference(predictions: Sequence[Prediction], rate: float) -> float | None:
    """The Brier score of somebody who only knows how often predictions come true."""
    return brier([Prediction(rate, one.came_true) for one in predictions])


def bins(predictions: Sequence[Prediction]) -> tuple[Bin, ...]:
    """The predictions in ten equal steps of probability; steps without any are left out."""
    sorted_in: dict[int, list[Prediction]] = {}
    for one in predictions:
        sorted_in.setdefault(min(BINS - 1, int(one.probability * BINS)), []).append(one)
    return tuple(_bin(step, sorted_in[step]) for step in sorted(sorted_in))


def _bin(step: int, inside: list[Prediction]) -> Bin:
    count, true = len(inside), sum(one.came_true for one in inside)
    mean = fmean(one.probability for one in inside)
    return Bin(step / BINS, (step + 1) / BINS, count, mean, true / count, wilson(true, count))


def wilson(true: int, count: int, z: float = 1.645) -> tuple[float, float]:
    """An interval for a share (Wilson 1927)."""
    share = true / count
    middle = share + z * z / (2 * count)
    reach = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)


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
