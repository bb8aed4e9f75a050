"""From the history of a campaign to its figures: which data each chart gets, and what its caption says.

Large campaigns are thinned here, and every caption says so: a page stays small whatever the campaign was.
"""

from __future__ import annotations

from dataclasses import dataclass

from novum.core.model.metric import COMPUTE
from novum.core.model.trial import OutcomeKind
from novum.core.model.verdict import Verdict
from novum.core.state.hypothesis import Hypothesis
from novum.report import charts, compute_frontier, learning_curve_chart, series
from novum.text.format import counted, cut, number, thinned
from novum.views.campaign_history import History, IncumbentPeriod, Moment
from novum.views.campaign_summary import Summary
from novum.views.candidate_changes import change_words
from novum.views.hypothesis_status import FAILED, hypothesis_status
from novum.views.index.confirmation_log import Confirmation

SCORES = 1500
PATHS = 60
NODES = 800
ENTRIES = 600
EFFECTS = 60
NO_CPU = 1.0
"""Campaigns of less CPU time than this many seconds are drawn over trials."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with its title and caption; `empty` is the sentence that stands in its place when there is none."""

    name: str
    title: str
    caption: str
    empty: str
    chart: charts.Chart | None


@dataclass(frozen=True, slots=True)
class Axis:
    """The cost axis of a campaign: trials, or CPU time in the unit that suits its length (seconds in `unit`)."""

    title: str
    unit: float | None

    def of(self, moment: Moment) -> float:
        """Where a moment stands on the axis."""
        return float(moment.trials) if self.unit is None else moment.cpu / self.unit


def axis(cpu_seconds: float) -> Axis:
    """The axis for a campaign of this many CPU seconds."""
    if cpu_seconds < NO_CPU:
        return Axis("trials", None)
    for unit, name, least in ((3600.0, "hours", 3.0), (60.0, "minutes", 5.0)):
        if cpu_seconds >= least * unit:
            return Axis(f"CPU {name}, cumulative", unit)
    return Axis("CPU seconds, cumulative", 1.0)


def figures(history: History, summary: Summary) -> dict[str, Figure]:
    """All figures of the report, by name."""
    made = (
        _forest(history, summary),
        _progress(history),
        _paths(history),
        _spending(history),
        _outcomes(history),
        _frontier(history),
        _curves(history),
        _genealogy(history),
        _stakes(history),
        _thresholds(history),
    )
    return {figure.name: figure for figure in made}


def _claim(history: History, hypothesis: str | None) -> str:
    """The change that a hypothesis claims, as text for a tooltip."""
    if hypothesis is None:
        return "the arena's starting point"
    registered = history.state.hypotheses[hypothesis].registered
    incumbent = history.state.candidates[registered.incumbent].genome
    return change_words(history.state.study, registered.candidate.genome, incumbent)


def _metric(history: History) -> str:
    return cut(history.state.spec.metric, 60)


def _shown(shown: int, total: int, what: str) -> str:
    return "" if shown >= total else f" {shown:,} of {total:,} {what} are drawn."


def _forest(history: History, summary: Summary) -> Figure:
    found = [one for one in summary.findings if one.effect is not None]
    kept = found[-EFFECTS:]
    rows = [
        series.Effect(
            id=one.id,
            claim=change_words(history.state.study, one.candidate, one.incumbent, 44),
            effect=one.effect or 0.0,
            low=one.interval[0] if one.interval else None,
            high=one.interval[1] if one.interval else None,
            pairs=one.effect_pairs,
            source=one.effect_source,
        )
        for one in kept
    ]
    study = history.state.study
    assert study
    level = f"{100 * study.gate.interval_level:g} %"
    told = (
        f"Gain over the incumbent of the time on fresh pairs, and its {level} interval from these and the verdict's, "
        "which allows for the choice of what was found."
        if study.gate.interval == "selective"
        else f"Mean difference to the incumbent of the time and its {level} confidence "
        "sequence, from fresh pairs that the verdict did not use. The verdict rests on pairs of its own, so an "
        "interval that includes zero does not contradict it: it tells how large the effect may be."
    )
    caption = (
        told
        + (
            f" The dashed line is the smallest gain worth having, {number(study.gate.delta)}."
            if study.gate.delta
            else ""
        )
        + _shown(len(kept), len(found), "findings")
    )
    chart = charts.forest(rows, _metric(history), study.gate.delta)
    return Figure(
        "forest", "Size of the findings", caption, "Nothing was supported, so there is no effect to show.", chart
    )


def _progress(history: History) -> Figure:
    x = axis(history.state.cpu_seconds_in_all)
    thin = thinned(history.screened, SCORES)
    scores = [series.Score(x.of(one.at), one.score, one.candidate) for one in thin]
    stretches = [_stretch(history, reign, x) for reign in history.incumbent_runs if reign.mean is not None]
    study = history.state.study
    cheap = (
        f" Screening runs are {study.screening.fidelity:g} of full length."
        if study and study.screening.fidelity < 1
        else ""
    )
    caption = (
        "Grey: what a candidate scored on the few search seeds; the best of many such scores is lucky and no evidence. "
        "Blue: the incumbent's mean on fresh seeds with a band of two standard errors; runs that made it incumbent are "
        f"left out, since they overstate.{cheap} Outliers are drawn at the edge."
        + _shown(len(scores), len(history.screened), "screening scores")
    )
    chart = charts.progress(scores, stretches, x.title, _metric(history))
    return Figure("progress", "Progress of the incumbent", caption, "No candidate has been scored yet.", chart)


def _stretch(history: History, reign: IncumbentPeriod, x: Axis) -> series.Stretch:
    mean, error = reign.mean or 0.0, reign.error or 0.0
    return series.Stretch(
        x=x.of(reign.begin),
        x2=x.of(reign.end),
        mean=mean,
        low=mean - error,
        high=mean + error,
        id=reign.hypothesis or "baseline",
        claim=_claim(history, reign.hypothesis),
        runs=reign.runs,
    )


def _paths(history: History) -> Figure:
    every = history.confirmations
    kept = sorted(every, key=lambda one: (one.outcome != Verdict.SUPPORTED, -one.rule.position))[:PATHS]
    drawn = [
        series.Path(
            key=f"{one.rule.hypothesis}#{one.rule.attempt}",
            id=one.rule.hypothesis,
            claim=_claim(history, one.rule.hypothesis),
            outcome=one.outcome,
            values=_some_pairs(one),
            threshold=one.threshold,
        )
        for one in sorted(kept, key=lambda one: one.rule.position)
    ]
    caption = (
        "One line per confirmation: the evidence E for its claim after each pair of fresh seeds, computed again from "
        "the raw outcomes. The tick at its end is the threshold it had to reach. A claim that is false has an expected "
        "E of at most 1, whenever one stops. Refuted means that a gain of the registered size or more is ruled out, "
        "each time with the error the study allows; a smaller gain may exist, and E may have begun to show it."
        + _shown(len(kept), len(every), "confirmations (all supported, then the latest)")
    )
    return Figure("paths", "Evidence, pair by pair", caption, "No confirmation has been opened.", charts.paths(drawn))


def _some_pairs(one: Confirmation) -> tuple[float, ...]:
    # Confirmations of thousands of pairs are cut to their first part rather than thinned: x is the pair number.
    return one.path[:2000]


def _spending(history: History) -> Figure:
    by_cpu = history.state.cpu_seconds_in_all >= NO_CPU
    rows = [series.Amount(one.purpose, one.cpu if by_cpu else float(one.trials)) for one in history.spending]
    caption = (
        "Screening chooses what to confirm; calibration measures the noise; only confirming trials are evidence; "
        "estimation gives the size of a finding."
    )
    title = "CPU seconds" if by_cpu else "trials"
    what = "CPU seconds by purpose" if by_cpu else "Trials by purpose (the CPU time is next to nothing)"
    return Figure("spending", what, caption, "Nothing has been spent yet.", charts.bars(rows, title))


def _outcomes(history: History) -> Figure:
    counts = history.state.outcomes
    rows = [
        series.Amount(kind.replace("_", " "), float(counts[kind]), "" if kind is OutcomeKind.SCORED else FAILED)
        for kind in OutcomeKind
        if counts[kind] or kind is OutcomeKind.SCORED
    ]
    caption = "How trials ended. A failure is never turned into a score."
    return Figure("outcomes", "Trials by outcome", caption, "No trial has finished yet.", charts.bars(rows, "trials"))


def _frontier(history: History) -> Figure:
    limit = history.state.study.gate.compute_limit
    held = f" The dashed line is {limit:g} times the baseline's: what a claim may take against it." if limit else ""
    caption = (
        "What candidates gained over the baseline in screening and what their trials took, both from few runs. A line "
        f"joins those that gain more than any that takes no more.{held}"
    )
    measured = any(one.metric == COMPUTE for one in history.state.study.gate.guardrails)
    found = compute_frontier.points(history.state) if measured else []
    chart = compute_frontier.chart(found, _metric(history), limit, history.state.spec.gpus)
    return Figure("frontier", "Gain against compute", caption, "Trials are too short to say what one costs.", chart)


def _curves(history: History) -> Figure:
    chart = learning_curve_chart.chart(learning_curve_chart.readings(history.state))
    caption = learning_curve_chart.caption(history.state)
    return Figure("curves", "Learning curves", caption, "No run has shown its progress.", chart)


def _genealogy(history: History) -> Figure:
    state = history.state
    known = [(h, state.advantage(h)) for h in state.hypotheses.values()]
    values = [gain for _, gain in known if gain is not None]
    floor = charts.robust_domain(values, [0.0])[0] if values else -1.0
    placed = [
        (h, floor if gain is None else gain)
        for h, gain in known
        if gain is not None or h.verdict or _failed(history, h)
    ]
    judged = [(h, y) for h, y in placed if h.rule]
    others = [(h, y) for h, y in placed if not h.rule]
    kept = sorted(
        [*judged[-NODES:], *thinned(others, max(2, NODES - len(judged)))], key=lambda pair: pair[0].registered.number
    )
    nodes = {h.id: _node(history, h, y) for h, y in kept}
    edges = [
        series.Edge(nodes[parent].x, nodes[parent].y, nodes[h.id].x, nodes[h.id].y)
        for h, _ in kept
        for parent in h.registered.parents
        if parent in nodes
    ]
    accepted = [nodes[r.hypothesis].x for r in history.incumbent_runs if r.hypothesis in nodes]
    caption = (
        "Each hypothesis at its number and its screening advantage over the incumbent of the time, joined to the "
        "parents it was made from. Large marks went to confirmation, small ones were screened only; candidates "
        "without a score stand at the bottom. A dotted line: a new incumbent, from which advantages are measured anew."
        + _shown(len(kept), len(placed), "hypotheses (all that were judged, the others evenly thinned)")
    )
    chart = charts.genealogy(list(nodes.values()), edges, accepted, _metric(history))
    return Figure("genealogy", "Genealogy of the hypotheses", caption, "No hypothesis has been screened yet.", chart)


def _failed(history: History, hypothesis: Hypothesis) -> bool:
    return hypothesis_status(history.state, hypothesis).outcome == FAILED


def _node(history: History, hypothesis: Hypothesis, y: float) -> series.Node:
    now = hypothesis_status(history.state, hypothesis)
    return series.Node(
        id=hypothesis.id,
        x=hypothesis.registered.number,
        y=y,
        outcome=now.outcome,
        judged=hypothesis.rule is not None,
        claim=_claim(history, hypothesis.id),
        author=cut(hypothesis.registered.author, 40),
        note=cut(now.reason, 120),
    )


def _entries(history: History) -> list[series.Entry]:
    return [
        series.Entry(
            position=one.rule.position,
            id=one.rule.hypothesis,
            outcome=one.outcome,
            stake=one.rule.stake,
            cash=one.rule.cash,
            threshold=one.threshold,
            e_value=one.path[-1],
        )
        for one in history.confirmations[-ENTRIES:]
    ]


def _stakes(history: History) -> Figure:
    gate = history.state.study.gate
    back = "What a test did not use up comes back when it closes." if gate.refunds else "Nothing comes back."
    caption = f"Every confirmation stakes a share of the evidence that is left. {back}" + _shown(
        min(ENTRIES, len(history.confirmations)), len(history.confirmations), "confirmations (the latest)"
    )
    chart = charts.stakes(_entries(history))
    return Figure("stakes", "Evidence in hand", caption, "No evidence has been staked yet.", chart)


def _thresholds(history: History) -> Figure:
    caption = (
        "The smaller the stake, the higher the bar; every acceptance lowers the bars that follow. "
        f"{counted(history.state.account.discoveries, 'acceptance')} so far."
    )
    chart = charts.thresholds(_entries(history))
    return Figure("thresholds", "Evidence against its bar", caption, "No confirmation has been opened.", chart)
