"""The charts of a campaign, one function each: series in, an Altair chart out, None where there is nothing to draw.

Charts carry no theme, so that the same definition serves a light page, a dark page and a figure for print: give
`theme(dark=...)` as Vega's config. Colours are Okabe and Ito's, told apart by all common kinds of colour vision.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import altair as alt

from novum.report.series import Amount, Edge, Effect, Entry, Node, Path, Score, Stretch

COLOURS = {
    "supported": "#0072b2",
    "refuted": "#d55e00",
    "inconclusive": "#8c8c8c",
    "failed": "#cc79a7",
    "open": "#56b4e9",
}
SHAPES = {"supported": "circle", "refuted": "square", "inconclusive": "circle", "failed": "cross", "open": "triangle"}
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
LABELS = 12
"""More marks than this are left without a text label: the tooltip has the name."""

SCREENED, FRESH, ACCEPTED = "screening score of a candidate", "incumbent on fresh seeds", "acceptance"
PROGRESS = {SCREENED: COLOURS["inconclusive"], FRESH: COLOURS["supported"], ACCEPTED: COLOURS["refuted"]}
IN_HAND, STAKED = "evidence in hand after the stake", "stake"
LEDGER = {IN_HAND: "#6c7a89", STAKED: COLOURS["supported"]}

_LABEL_LIMIT = alt.ExprRef("containerSize()[0] < 500 ? 130 : 320")
"""On a narrow page a long label would leave no room for the chart; the tooltip has all of it."""

CROWD = 150
"""More large marks than this become small ones."""

Chart = alt.Chart | alt.LayerChart


def theme(*, dark: bool = False) -> dict[str, Any]:
    """Vega-Lite's config for a light or a dark page."""
    ink, soft, grid = ("#e8e8e8", "#b5b5b5", "#3a3f44") if dark else ("#1f2328", "#57606a", "#e4e7eb")
    return {
        "background": None,
        "font": FONT,
        "view": {"stroke": None},
        "axis": {
            "labelColor": soft,
            "titleColor": ink,
            "gridColor": grid,
            "domainColor": soft,
            "tickColor": soft,
            "labelFontSize": 12,
            "titleFontSize": 13,
            "titleFontWeight": "normal",
            "titlePadding": 10,
        },
        "legend": {
            "labelColor": ink,
            "labelFontSize": 12,
            "titleColor": ink,
            "orient": "top",
            "symbolSize": 90,
            "symbolStrokeWidth": 2,
            "symbolOpacity": 1,
            "labelLimit": 300,
        },
        "style": {"ink": {"color": ink}, "soft": {"color": soft}, "label": {"color": ink, "fontSize": 12}},
    }


def forest(effects: Sequence[Effect], metric: str, delta: float) -> Chart | None:
    """Effects of the findings with their intervals and the line of no effect."""
    if not effects:
        return None
    rows = rows_of(effects)
    names = [row["name"] for row in _named(rows)]
    y = alt.Y("name:N", sort=names, title=None, axis=alt.Axis(labelLimit=_LABEL_LIMIT, labelFontSize=13, ticks=False))
    title = f"Effect on {metric} (positive is better)"
    tips = [
        alt.Tooltip("id:N", title="hypothesis"),
        alt.Tooltip("claim:N", title="change"),
        alt.Tooltip("effect:Q", format="+.4~g"),
        alt.Tooltip("low:Q", title="interval from", format="+.4~g"),
        alt.Tooltip("high:Q", title="interval to", format="+.4~g"),
        alt.Tooltip("pairs:Q", title="fresh pairs"),
        alt.Tooltip("source:N", title="measured on"),
    ]
    base = inline(_named(rows)).encode(y=y, tooltip=tips)
    layers: list[alt.Chart] = [
        inline([{"x": 0}])
        .mark_rule(style="soft", strokeWidth=1.5)
        .encode(x=alt.X("x:Q", title=title, axis=alt.Axis(tickCount=8, format="~g"), scale=alt.Scale(padding=12)))
    ]
    if delta > 0:
        layers.append(inline([{"x": delta}]).mark_rule(style="soft", strokeDash=[4, 4]).encode(x="x:Q"))
    blue = COLOURS["supported"]
    layers.append(
        base.transform_filter("datum.low != null").mark_rule(strokeWidth=3, color=blue).encode(x="low:Q", x2="high:Q")
    )
    for end in ("low", "high"):
        tick = base.transform_filter("datum.low != null").mark_tick(
            thickness=3, height=12, orient="vertical", color=blue
        )
        layers.append(tick.encode(x=f"{end}:Q"))
    layers.append(base.mark_point(filled=True, size=130, opacity=1, color=blue).encode(x="effect:Q"))
    return wide(alt.layer(*layers), max(90, 44 * len(rows) + 20))


def progress(scores: Sequence[Score], stretches: Sequence[Stretch], x_title: str, metric: str) -> Chart | None:
    """Screening scores and the incumbent's mean on fresh seeds over what the campaign had cost."""
    if not scores and not stretches:
        return None
    domain = robust_domain([one.score for one in scores], [v for one in stretches for v in (one.low, one.high)])
    scale = alt.Scale(domain=domain, zero=False, clamp=True, nice=False)
    x = alt.X("x:Q", title=x_title, scale=alt.Scale(nice=False))
    colour = _kinds(PROGRESS)
    tips = [alt.Tooltip("candidate:N"), alt.Tooltip("score:Q", title="screening score", format=".5~g")]
    tips.append(alt.Tooltip("x:Q", title=x_title, format=",.4~g"))
    y = alt.Y("score:Q", title=metric, scale=scale)
    dots = inline(_of_kind(rows_of(scores), SCREENED)).mark_circle(size=28, opacity=0.45)
    layers = [dots.encode(x=x, y=y, color=colour, tooltip=tips), *_incumbents(stretches, scale, metric, colour)]
    return wide(alt.layer(*layers), 360)


def _incumbents(stretches: Sequence[Stretch], scale: alt.Scale, metric: str, colour: alt.Color) -> Iterator[alt.Chart]:
    """Band, steps and marks of the incumbents."""
    if not stretches:
        return
    rows = _of_kind(rows_of(stretches), FRESH)
    tips = [
        alt.Tooltip("id:N", title="incumbent"),
        alt.Tooltip("claim:N", title="change"),
        alt.Tooltip("mean:Q", title="mean on fresh seeds", format=".5~g"),
        alt.Tooltip("low:Q", title="mean - 2 se", format=".5~g"),
        alt.Tooltip("high:Q", title="mean + 2 se", format=".5~g"),
        alt.Tooltip("runs:Q", title="fresh runs"),
    ]
    base = inline(rows).encode(x="x:Q", tooltip=tips)
    y, low = (alt.Y(f"{name}:Q", scale=scale, title=metric) for name in ("mean", "low"))
    yield base.mark_rect(opacity=0.22, color=COLOURS["supported"]).encode(x2="x2:Q", y=low, y2="high:Q")
    yield base.mark_rule(strokeWidth=3).encode(x2="x2:Q", y=y, color=colour)
    joints = [
        {"x": one.x, "low": min(before.mean, one.mean), "high": max(before.mean, one.mean)}
        for before, one in pairwise(stretches)
    ]
    yield inline(_of_kind(joints, FRESH)).mark_rule(strokeWidth=3).encode(x="x:Q", y=low, y2="high:Q", color=colour)
    accepted = _of_kind([row for row in rows if row["id"] != "baseline"], ACCEPTED)
    marks = inline(accepted).encode(x="x:Q", y=y, tooltip=tips)
    yield marks.mark_point(shape="diamond", filled=True, size=170, opacity=1).encode(color=colour)
    if len(rows) <= LABELS:
        yield marks.mark_text(style="label", align="left", dx=7, dy=-13, fontWeight="bold").encode(text="id:N")


def paths(drawn: Sequence[Path]) -> Chart | None:
    """The e-value of every confirmation, pair by pair, on a logarithmic axis; a tick marks the threshold at the end."""
    if not drawn:
        return None
    steps: list[dict[str, Any]] = [
        {"key": p.key, "n": n, "e": round_off(e), "outcome": p.outcome} for p in drawn for n, e in enumerate(p.values)
    ]
    ends = [{**_row(p, "values"), "n": len(p.values) - 1, "e": round_off(p.values[-1])} for p in drawn]
    values: list[float] = [row["e"] for row in steps] + [p.threshold for p in drawn]
    domain = [max(1e-4, min(values) / 1.5), max(values) * 2]
    tips = [
        alt.Tooltip("id:N", title="hypothesis"),
        alt.Tooltip("claim:N", title="change"),
        alt.Tooltip("outcome:N", title="verdict"),
        alt.Tooltip("e:Q", title="E", format=".4~g"),
        alt.Tooltip("threshold:Q", format=".4~g"),
        alt.Tooltip("n:Q", title="pairs"),
    ]
    hover = alt.selection_point(name="hover", on="pointerover", fields=["key"], empty=True)
    faded = alt.condition(hover, alt.value(0.95), alt.value(0.15))
    x = alt.X("n:Q", title="pairs of fresh seeds", axis=alt.Axis(tickMinStep=1, format="d"))
    log = alt.Scale(type="log", domain=domain, clamp=True, nice=False)
    y = alt.Y("e:Q", title="e-value E (log scale)", scale=log, axis=_decades(domain))
    colour = colour_of({p.outcome for p in drawn})
    line = inline(steps).mark_line(strokeWidth=2).encode(x=x, y=y, detail="key:N", color=colour, opacity=faded)
    base = inline(ends).encode(x=x, color=colour, tooltip=tips, opacity=faded)
    bar = alt.Y("threshold:Q", scale=log, title="e-value E (log scale)")
    tick = base.mark_tick(orient="horizontal", width=22, thickness=2).encode(y=bar)
    point = base.mark_point(filled=True, size=75).encode(y=y).add_params(hover)
    named = [row for row in ends if row["outcome"] == "supported"]
    text = inline(named if len(named) <= LABELS else []).mark_text(style="label", align="left", dx=9, fontWeight="bold")
    return wide(alt.layer(line, tick, point, text.encode(x=x, y=y, text="id:N")), 400)


def bars(amounts: Sequence[Amount], title: str) -> Chart | None:
    """Amounts by name, as horizontal bars with their figures."""
    if not any(one.amount for one in amounts):
        return None
    rows = [{**_row(one), "label": _figure(one.amount)} for one in amounts]
    largest = max(one.amount for one in amounts)
    colours = [COLOURS.get(one.outcome, "#6c7a89") for one in amounts]
    names = [one.name for one in amounts]
    # The figure stands right of its bar: leave it room inside the axis.
    x = alt.X(
        "amount:Q", title=title, scale=alt.Scale(domain=[0, largest * 1.18], nice=False), axis=alt.Axis(tickCount=5)
    )
    base = inline(rows).encode(y=alt.Y("name:N", sort=names, title=None), x=x)
    tips = [alt.Tooltip("name:N", title=" "), alt.Tooltip("amount:Q", title=title, format=",.4~g")]
    colour = alt.Color("name:N", scale=alt.Scale(domain=names, range=colours), legend=None)
    text = base.mark_text(style="label", align="left", dx=6).encode(text="label:N")
    return wide(
        base.mark_bar(cornerRadiusEnd=2, height=18).encode(color=colour, tooltip=tips) + text, 34 * len(rows) + 10
    )


def genealogy(nodes: Sequence[Node], edges: Sequence[Edge], accepted: Sequence[int], metric: str) -> Chart | None:
    """Hypotheses by number and screening advantage, with lines to their parents and to the acceptances."""
    if not nodes:
        return None
    domain = robust_domain([one.y for one in nodes], [0.0, *(one.y for one in nodes if one.outcome == "supported")])
    large = 110 if sum(one.judged for one in nodes) <= CROWD else 40
    scale = alt.Scale(domain=domain, clamp=True, nice=False)
    y = alt.Y("y:Q", title=f"screening advantage ({metric})", scale=scale)
    x = alt.X(
        "x:Q",
        title="hypothesis number",
        axis=alt.Axis(format="d", tickMinStep=1),
        scale=alt.Scale(nice=False, padding=8),
    )
    present = {one.outcome for one in nodes}
    loud = "datum.judged || datum.outcome == 'failed'"
    shape = alt.Shape("outcome:N", scale=_scale(present, SHAPES), legend=alt.Legend(title=None))
    tips = [
        alt.Tooltip("id:N", title="hypothesis"),
        alt.Tooltip("claim:N", title="change"),
        alt.Tooltip("outcome:N"),
        alt.Tooltip("note:N", title="reason"),
        alt.Tooltip("y:Q", title="screening advantage", format="+.4~g"),
        alt.Tooltip("author:N"),
    ]
    turns = inline([{"x": number} for number in accepted]).mark_rule(color=COLOURS["supported"], strokeDash=[3, 4])
    lines = inline(rows_of(edges)).mark_rule(style="soft", opacity=0.28, strokeWidth=0.8)
    zero = inline([{"y": 0}]).mark_rule(style="soft", strokeWidth=1.2)
    points = (
        inline(rows_of(nodes))
        .mark_point(filled=True)
        .encode(
            x=x,
            y=y,
            shape=shape,
            color=colour_of(present),
            size=alt.condition(loud, alt.value(large), alt.value(26)),
            opacity=alt.condition(loud, alt.value(1.0), alt.value(0.55)),
            tooltip=tips,
        )
    )
    layers = [lines.encode(x=x, y=y, x2="x2:Q", y2="y2:Q"), zero.encode(y=y), turns.encode(x=x), points]
    return wide(alt.layer(*layers), 380)


def stakes(entries: Sequence[Entry]) -> Chart | None:
    """Evidence in hand and staked, confirmation by confirmation."""
    if not entries:
        return None
    rows = rows_of(entries)
    tips = [alt.Tooltip("id:N", title="hypothesis"), alt.Tooltip("stake:Q", format=".3~%")]
    tips.append(alt.Tooltip("cash:Q", title="in hand after the stake", format=".3~%"))
    x, title, colour = _positions(), "share of the evidence at the start", _kinds(LEDGER)
    y = alt.Y("cash:Q", title=title, axis=alt.Axis(format="%", tickCount=5), scale=alt.Scale(zero=True))
    sticks = inline(_of_kind(rows, STAKED)).mark_rule(strokeWidth=10 if len(rows) <= 40 else 3)
    line = inline(_of_kind(rows, IN_HAND)).mark_line(
        strokeWidth=2, point={"size": 40, "filled": True} if len(rows) <= CROWD else False
    )
    spent = sticks.encode(x=x, y=alt.Y("stake:Q", title=title), tooltip=tips, color=colour)
    return wide(spent + line.encode(x=x, y=y, tooltip=tips, color=colour), 260)


def thresholds(entries: Sequence[Entry]) -> Chart | None:
    """How far each confirmation stayed below its threshold, or passed it."""
    if not entries:
        return None
    rows = rows_of(entries)
    values = [v for one in entries for v in (one.threshold, one.e_value)]
    domain = [max(1e-4, min(values) / 1.5), max(values) * 2]
    scale = alt.Scale(type="log", domain=domain, clamp=True, nice=False)
    title = "E (point) and threshold (tick), log scale"
    tips = [
        alt.Tooltip("id:N", title="hypothesis"),
        alt.Tooltip("outcome:N", title="verdict"),
        alt.Tooltip("e_value:Q", title="E", format=".4~g"),
        alt.Tooltip("threshold:Q", format=".4~g"),
    ]
    colour = colour_of({one.outcome for one in entries})
    base = inline(rows).encode(x=_positions(), tooltip=tips, color=colour)
    y = alt.Y("e_value:Q", title=title, scale=scale, axis=_decades(domain))
    tick_width = 14 if len(rows) <= 40 else 5
    bar = base.mark_tick(orient="horizontal", width=tick_width, thickness=2.5).encode(
        y=alt.Y("threshold:Q", title=title, scale=scale)
    )
    reach = base.mark_rule(opacity=0.3 if len(rows) <= CROWD else 0).encode(y=y, y2="threshold:Q")
    return wide(
        reach + bar + base.mark_point(filled=True, size=70 if len(rows) <= CROWD else 20, opacity=1).encode(y=y), 260
    )


def robust_domain(values: Sequence[float], keep: Sequence[float]) -> list[float]:
    """An axis that shows all of `keep` and all of `values` but outliers, which are drawn at its edge.

    An outlier lies beyond the 5 % or 95 % quantile by more than the distance between the two.
    """
    ranked = sorted(values) or sorted(keep)
    low, high = ranked[int(0.05 * (len(ranked) - 1))], ranked[math.ceil(0.95 * (len(ranked) - 1))]
    reach = high - low
    inside = [value for value in ranked if low - reach <= value <= high + reach] + list(keep)
    bottom, top = min(inside), max(inside)
    margin = 0.06 * (top - bottom) or abs(top) * 0.05 or 1.0
    return [round_off(bottom - margin), round_off(top + margin)]


def round_off(value: float) -> float:
    """Six significant digits: more cannot be seen, and it halves the page."""
    return float(f"{value:.6g}")


def _figure(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 100 else f"{amount:.3g}"


def _decades(domain: Sequence[float]) -> alt.Axis:
    """Powers of ten only (every second or third when there are many): the usual log grid is denser than the data."""
    low, high = math.ceil(math.log10(domain[0])), math.floor(math.log10(domain[1]))
    step = max(1, (high - low) // 8)
    return alt.Axis(format=",~g", values=[10.0**power for power in range(low, high + 1, step)])


def _positions() -> alt.X:
    return alt.X(
        "position:Q",
        title="confirmation",
        axis=alt.Axis(format="d", tickMinStep=1),
        scale=alt.Scale(nice=False, zero=False, padding=14),
    )


def colour_of(present: Iterable[str]) -> alt.Color:
    """The colours of the outcomes that occur."""
    return alt.Color("outcome:N", scale=_scale(present, COLOURS), legend=alt.Legend(title=None))


def _kinds(colours: Mapping[str, str]) -> alt.Color:
    return alt.Color("kind:N", scale=_scale(colours, colours), legend=alt.Legend(title=None))


def _of_kind(rows: Iterable[Mapping[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [{**row, "kind": kind} for row in rows]


def _scale(present: Iterable[str], values: Mapping[str, str]) -> alt.Scale:
    """The same outcome has the same colour and shape in every chart; the legend names only those that occur."""
    there = set(present)
    names = [name for name in values if name in there]
    return alt.Scale(domain=names, range=[values[name] for name in names])


def _named(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "name": f"{row['id']}  {row['claim']}"} for row in rows]


def _row(item: Any, *without: str) -> dict[str, Any]:
    pairs = ((name, value) for name, value in asdict(item).items() if name not in without)
    return {name: round_off(value) if isinstance(value, float) else value for name, value in pairs}


def rows_of(items: Iterable[Any]) -> list[dict[str, Any]]:
    """Dataclasses as rows, their numbers rounded."""
    return [_row(item) for item in items]


def inline(rows: Sequence[Mapping[str, Any]]) -> alt.Chart:
    """A chart whose rows stand in it."""
    return alt.Chart(alt.InlineData(values=list(rows)))


def wide(chart: Any, height: int) -> Chart:
    """As wide as the page, `height` pixels high."""
    sized: Chart = chart.properties(width="container", height=height)
    return sized
