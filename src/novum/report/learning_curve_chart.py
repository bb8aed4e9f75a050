"""Learning curves: the progress of the latest screening runs by compute, and which of them were ended early."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from novum.core.state.campaign_state import CampaignState
from novum.core.state.trial_costs import SweepCost
from novum.report.charts import COLOURS, Chart, inline, rows_of, wide
from novum.text.format import counted

FEWEST = 3
"""Runs of which a chart is drawn."""
OUTLYING = 0.95
"""The highest and the lowest readings beyond this share of all are cut off: a run that diverged would hide the rest."""
ENDED, WHOLE, INCUMBENT = "ended early", "run to its end", "incumbent"
_COLOURS = {ENDED: "#b9bec4", WHOLE: COLOURS["open"], INCUMBENT: COLOURS["supported"]}


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading of one run: seconds of compute from its start, and the value that it printed."""

    id: str
    seconds: float
    value: float
    kind: str


def readings(state: CampaignState) -> list[Reading]:
    """Of the latest runs whose progress is known."""
    names = {one.candidate.id: one.id for one in state.hypotheses.values()}
    incumbent = state.incumbent.candidate.id if state.incumbents else ""
    found = []
    for candidate, run in state.learning_curves.runs.items():
        kind = INCUMBENT if candidate == incumbent else ENDED if run.score is None else WHOLE
        found += [Reading(names.get(candidate, "baseline"), at, value, kind) for at, value in run.curve]
    return found if len({one.id for one in found}) >= FEWEST else []


def caption(state: CampaignState) -> str:
    """What the chart shows, how well early readings foretold final scores, and what was saved."""
    curves, factor = state.learning_curves, state.study.screening.reduction_factor
    usual = state.sweep_costs.get(state.incumbents[0].candidate.id, SweepCost()).each if state.incumbents else 0.0
    known = [(time, curves.correlation(time)) for time in curves.times(usual)]
    told = [f"{value:+.2f} at {time:.3g} s" for time, value in known if value is not None]
    words = "What runs printed on their way, by compute; these readings decide no claim."
    if told:
        words += (
            f" Rank correlation of readings with final scores, over runs that nothing could end: {', '.join(told)}."
        )
    if factor:
        words += (
            f" {counted(curves.ended, 'run')} outside the best one in {factor} at a look were ended early, which saved "
            f"about {curves.saved_seconds:.3g} s of compute."
        )
    return words


def chart(found: Sequence[Reading]) -> Chart | None:
    """A line for each run."""
    if not found:
        return None
    values = sorted(one.value for one in found)
    low, high = values[round((1 - OUTLYING) * (len(values) - 1))], values[round(OUTLYING * (len(values) - 1))]
    margin = 0.05 * (high - low) or 1.0
    kinds = [kind for kind in _COLOURS if any(one.kind == kind for one in found)]
    colour = alt.Color("kind:N", title=None, scale=alt.Scale(domain=kinds, range=[_COLOURS[kind] for kind in kinds]))
    lines = inline(rows_of(found)).mark_line(clip=True, strokeWidth=1.6, opacity=0.8, point={"size": 14, "clip": True})
    encoded = lines.encode(
        x=alt.X("seconds:Q", title="Seconds of compute"),
        y=alt.Y("value:Q", title="Reading", scale=alt.Scale(domain=[low - margin, high + margin], zero=False)),
        color=colour,
        detail="id:N",
        tooltip=[
            alt.Tooltip("id:N", title="hypothesis"),
            alt.Tooltip("kind:N", title="run"),
            alt.Tooltip("seconds:Q", title="seconds", format=".3~g"),
            alt.Tooltip("value:Q", title="reading", format=".4~g"),
        ],
    )
    return wide(encoded, 300)
