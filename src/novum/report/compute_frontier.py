"""Gain against compute: what candidates gain in screening over what their trials take, and the best at each price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from novum.core.model.metric import compute_name
from novum.core.state.campaign_state import CampaignState
from novum.report.charts import Chart, colour_of, inline, rows_of, wide
from novum.text.format import cut
from novum.views.hypothesis_status import hypothesis_status

WIDEST = 4.0
"""Times the baseline's compute beyond which a candidate stands at the edge."""


@dataclass(frozen=True, slots=True)
class Point:
    """A candidate: compute of its screening trials over the baseline's, and its gain over the baseline there."""

    compute: float
    gain: float
    id: str
    outcome: str
    why: str


def points(state: CampaignState) -> list[Point]:
    """All screened candidates whose cost is known, each once, the baseline first."""
    if not state.incumbents:
        return []
    baseline = state.incumbents[0].candidate.id
    found = {baseline: Point(1.0, 0.0, "baseline", "open", "")}
    for one in state.screened:
        name = one.candidate.id
        gain, ratio = state.gain(name, baseline), state.compute_ratio(name, baseline)
        if gain is not None and ratio is not None:
            outcome = hypothesis_status(state, one).outcome
            found[name] = Point(min(ratio, WIDEST), gain, one.id, outcome, cut(one.registered.rationale, 120))
    return list(found.values()) if len(found) > 1 else []


def frontier(found: Sequence[Point]) -> list[Point]:
    """Those that gain more than all that take no more, by compute."""
    best: list[Point] = []
    for one in sorted(found, key=lambda one: (one.compute, -one.gain)):
        if not best or one.gain > best[-1].gain:
            best.append(one)
    return best


def chart(found: Sequence[Point], metric: str, limit: float | None, gpus: int = 0) -> Chart | None:
    """Candidates as marks, the frontier as steps, the limit that claims are held to as a dashed line."""
    if not found:
        return None
    x = alt.X(
        "compute:Q", title=f"{compute_name(gpus)} of a trial / the baseline's", scale=alt.Scale(zero=False, padding=14)
    )
    y = alt.Y("gain:Q", title=f"Screening gain in {metric} (positive is better)", scale=alt.Scale(padding=14))
    tips = [
        alt.Tooltip("id:N", title="hypothesis"),
        alt.Tooltip("gain:Q", format="+.4~g"),
        alt.Tooltip("compute:Q", title="times the compute", format=".3~f"),
        alt.Tooltip("why:N", title="change"),
    ]
    steps = inline(rows_of(frontier(found))).mark_line(interpolate="step-after", style="soft")
    layers: list[alt.Chart] = [steps.encode(x=x, y=y)]
    if limit is not None:
        rule = inline([{"compute": limit}]).mark_rule(style="soft", strokeDash=[4, 4])
        layers.append(rule.encode(x="compute:Q"))
    marks = inline(rows_of(found)).mark_point(filled=True, size=90, opacity=0.9)
    layers.append(marks.encode(x=x, y=y, color=colour_of(one.outcome for one in found), tooltip=tips))
    return wide(alt.layer(*layers), 320)
