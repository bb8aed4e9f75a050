"""The study report: one self-contained HTML file that works offline, made from the ledger and nothing else.

Everything that a study, a researcher or a trial wrote is untrusted here. It is escaped by the template, never placed
in executable script, and the page forbids itself every connection and every script but its own two (by their hash).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import vl_convert
from altair.utils.schemapi import debug_mode
from markupsafe import Markup

from novum.core.events.trials import TrialFinished
from novum.core.model.budget import budget_text
from novum.core.model.candidate import Change, Cost
from novum.core.model.errors import UserError
from novum.core.model.trial_plan import ASKED
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis
from novum.ledger.journal import Reader
from novum.report import wording
from novum.report.charts import theme
from novum.report.explained import events_cited, explain
from novum.report.figures import Figure, figures
from novum.text.format import clean, counted, cut, moment, number, seconds, signed
from novum.views.campaign_history import History
from novum.views.campaign_summary import Finding, Summary, summarise
from novum.views.candidate_changes import changes_of
from novum.views.finding_views.claim_text import tail_text
from novum.views.finding_views.more_of_the_same import same_text
from novum.views.finding_views.recovery_result import DIRECTORY, Recovery, compared
from novum.views.hypothesis_status import hypothesis_status
from novum.views.index.campaign_index import CampaignIndex
from novum.views.index.confirmation_log import Confirmation
from novum.views.patches import patch_of
from novum.views.screening_correlation import sentence

HYPOTHESES = 500
FAILURES = 20
ENTRIES = 200
OPEN_ROWS = 30
"""Tables longer than this start folded."""

_NUMBER = re.compile(r"\d+")

_DRAW = """
const dark = matchMedia('(prefers-color-scheme: dark)');
const narrow = matchMedia('(max-width: 640px)');
// On a dark ground the blue is lighter, here as in the style sheet.
const shade = text => dark.matches ? text.replaceAll('#0072b2', '#4aa8e0') : text;
const read = id => JSON.parse(shade(document.getElementById(id).textContent));
const themes = read('themes');
const loader = {load: () => Promise.reject('offline'), sanitize: () => Promise.reject('offline')};
// On a narrow page legends stand in a column, and a long title grows to the left, under the labels.
const fit = theme => narrow.matches
  ? {...theme, axisX: {titleAnchor: 'end', titleFontSize: 11}, legend: {...theme.legend, columns: 1}} : theme;
function draw() {
  for (const place of document.querySelectorAll('[data-chart]')) {
    vegaEmbed(place, read('chart-' + place.dataset.chart), {
      mode: 'vega-lite', renderer: 'svg', loader, config: fit(themes[dark.matches ? 'dark' : 'light']),
      actions: !narrow.matches && {export: true, source: false, compiled: false, editor: false},
      downloadFileName: place.dataset.chart, tooltip: {theme: dark.matches ? 'dark' : 'light'},
    }).catch(error => { place.textContent = 'This chart cannot be drawn: ' + error.message; });
  }
}
for (const query of [dark, narrow]) query.addEventListener('change', draw);
draw();
"""


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding with what its two sides cost."""

    finding: Finding
    changes: list[Change]
    candidate: Cost
    incumbent: Cost | None
    patch: str


@dataclass(frozen=True, slots=True)
class HypothesisRow:
    """One line of the table of hypotheses. advantage in metric units, e_value and pairs of its confirmation."""

    id: str
    changes: list[Change]
    author: str
    outcome: str
    reason: str
    advantage: float | None
    e_value: float | None
    pairs: int | None


@dataclass(frozen=True, slots=True)
class FailureRow:
    """Trials that failed alike: how, how often, what they cost in CPU seconds, and name and cause of the first."""

    kind: str
    cause: str
    count: int
    cpu: float
    example: str


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """A number that is worth its own tile."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Script:
    """An inline script and the hash by which the page's policy admits it."""

    text: str
    digest: str


def write_report(directory: Path, path: Path) -> int:
    """Write the report of the lab in `directory` to `path`, whole or not at all; returns its size in bytes.

    Raises OSError when the file cannot be written, UserError when there is no campaign.
    """
    with Reader(directory) as reader:
        history = CampaignIndex().read(reader.read()).history()
    if not history.state.opened:
        raise UserError(f"the lab {directory} is empty: no campaign was opened in it")
    recoveries = _recoveries(history.state, directory)
    page = render(history, directory.absolute().name, recoveries).encode("utf-8", errors="replace")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(page)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    return len(page)


def _recoveries(state: CampaignState, directory: Path) -> list[Recovery]:
    """What other researchers found from the baseline, where anybody has let them try."""
    found = []
    for place in sorted((directory / DIRECTORY).glob("*/lab.db")):
        with Reader(place.parent) as reader:
            control = CampaignIndex().read(reader.read()).history().state
        if control.opened:
            found.append(compared(state, control))
    return found


def render(history: History, lab: str, recoveries: Sequence[Recovery] = ()) -> str:
    """The page as text. `lab`: the name of the lab directory, for the commands that the page recommends."""
    state = history.state
    summary = summarise(state)
    with debug_mode(False):  # or Altair checks each part of a chart against its schema, again and again
        drawn = figures(history, summary)
    rows, failures = _hypotheses(history), _failures(history)
    explained = tuple(explain(history.cases, one.id) for one in summary.findings)
    return _template().render(
        recoveries=recoveries,
        title=state.study.name,
        question=state.study.question or state.spec.question,
        spec=state.spec,
        study=state.study,
        summary=summary,
        history=history,
        conclusion=wording.conclusion(history, summary),
        tiles=_tiles(history, summary),
        figures=drawn,
        specs={name: _json(_spec(figure)) for name, figure in drawn.items() if figure.chart},
        themes=_json({"light": theme(), "dark": theme(dark=True)}),
        findings=[_finding(history, one) for one in summary.findings],
        explained=explained,
        cited=events_cited(history.cases, explained),
        hypotheses=rows,
        failures=failures[:FAILURES],
        failures_left_out=len(failures) - FAILURES,
        failed_trials=sum(row.count for row in failures),
        screening=sentence(summary.proxy),
        interventions=history.interventions[-ENTRIES:],
        league=history.leaderboard,
        models=any(line.tokens or line.money for line in history.leaderboard.lines) if history.leaderboard else False,
        preflight=state.preflight,
        entries=history.confirmations[-ENTRIES:],
        settings=wording.study_toml(state.study, state.budget),
        verify=f"novum verify --lab {shlex.quote(lab)}",
        recover=f"novum recover --lab {shlex.quote(lab)}",
        replays="\n".join(f"novum replay {one.id} --lab {shlex.quote(lab)}" for one in summary.findings),
        pack=_pack(summary, lab),
        scripts=[_script(_bundle()), _script(_DRAW)],
        open_rows=OPEN_ROWS,
    )


def _pack(summary: Summary, lab: str) -> str:
    """How the first finding leaves the lab, and what whoever gets the file does with it."""
    if not summary.findings:
        return ""
    first = summary.findings[0].id
    away = f"novum export {first} --lab {shlex.quote(lab)} -o {first}.zip"
    return f"{away}\nnovum verify {first}.zip\nnovum replay {first}.zip"


def _tiles(history: History, summary: Summary) -> list[KeyFigure]:
    state = history.state
    budget, session = state.budget, history.sessions[-1] if history.sessions else None
    cpu, wall = (_bound(None if v is None else seconds(v)) for v in (budget.cpu_seconds, budget.wall_seconds))
    return [
        KeyFigure("trials", f"{summary.trials:,}", _bound(None if budget.trials is None else f"{budget.trials:,}")),
        KeyFigure("CPU time", seconds(summary.cpu_seconds), cpu),
        KeyFigure("wall time", seconds(summary.wall_seconds), wall),
        KeyFigure("evidence in hand", f"{100 * state.account.cash:.1f} %", "of the stock at the start"),
        KeyFigure("workers", str(session.workers) if session else "–", counted(len(history.sessions), "session")),
        KeyFigure("seed", str(summary.seed), counted(summary.refused, "proposal") + " refused"),
    ]


def _bound(budget: str | None) -> str:
    return "no bound" if budget is None else f"of a budget of {budget}"


def _finding(history: History, finding: Finding) -> FindingRow:
    changed = changes_of(history.state.study, finding.candidate, finding.incumbent)
    text = clean(patch_of(history.state, finding.candidate))
    return FindingRow(finding, changed, finding.candidate_cost, finding.incumbent_cost, text)


def _hypotheses(history: History) -> list[HypothesisRow]:
    """At most HYPOTHESES rows in the order of registration: all confirmed ones first, then the best screened."""
    gains = {h.id: history.state.advantage(h) for h in history.state.hypotheses.values()}

    def rank(hypothesis: Hypothesis) -> tuple[bool, float]:
        gain = gains[hypothesis.id]
        return hypothesis.rule is None, float("inf") if gain is None else -gain

    kept = sorted(history.state.hypotheses.values(), key=rank)[:HYPOTHESES]
    latest = {one.rule.hypothesis: one for one in history.confirmations}
    kept.sort(key=lambda hypothesis: (hypothesis.registered.number, hypothesis.id))
    return [_hypothesis(history, h, gains[h.id], latest.get(h.id)) for h in kept]


def _hypothesis(history: History, one: Hypothesis, gain: float | None, test: Confirmation | None) -> HypothesisRow:
    now = hypothesis_status(history.state, one)
    incumbent = history.state.candidates[one.registered.incumbent].genome
    return HypothesisRow(
        id=one.id,
        changes=changes_of(history.state.study, one.candidate.genome, incumbent),
        author=one.registered.author,
        outcome=now.outcome,
        reason=cut(now.reason, 240),
        advantage=gain,
        e_value=test.path[-1] if test else None,
        pairs=len(test.path) - 1 if test else None,
    )


def _failures(history: History) -> list[FailureRow]:
    """Failures of one type whose causes differ in numbers alone in one row, the most frequent first."""
    alike: dict[tuple[str, str], list[TrialFinished]] = {}
    for outcome, _ in history.state.failures:
        key = str(outcome.kind), _NUMBER.sub("#", cut(outcome.cause, 300))
        alike.setdefault(key, []).append(outcome)
    rows = [
        FailureRow(kind, cut(same[0].cause, 300), len(same), sum(one.cpu_seconds for one in same), same[0].trial)
        for (kind, _), same in alike.items()
    ]
    return sorted(rows, key=lambda row: -row.count)


def _spec(figure: Figure) -> dict[str, Any]:
    assert figure.chart is not None
    spec: dict[str, Any] = figure.chart.to_dict(validate=False)
    # The schema's address is a name and never fetched; without it the page holds no address at all. The theme comes
    # with the reader's colour scheme.
    spec.pop("$schema", None)
    spec.pop("config", None)
    return spec


def _json(value: Any) -> Markup:
    """JSON that cannot end the script element it stands in, nor begin a comment there."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


@cache
def _bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, from the installed vl-convert: nothing is downloaded."""
    # The stub wants a snippet; None is the default one, which makes vegaEmbed global.
    bundle: str = vl_convert.javascript_bundle(None)  # type: ignore[arg-type]
    return bundle.replace("</script", "<\\/script")


def _script(text: str) -> Script:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Script(text, f"'sha256-{digest}'")


def _shown(value: object) -> object:
    """Whatever the template prints loses what would move a cursor or turn the reading direction."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, finalize=_shown, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        number=number,
        signed=signed,
        seconds=seconds,
        moment=moment,
        budget=budget_text,
        trusted=lambda script: Markup(script.text),
    )
    environment.globals.update(
        tail_text=tail_text, same_text=same_text, counted=counted, differences=changes_of, asked=ASKED
    )
    source = resources.files("novum.report").joinpath("template.html").read_text(encoding="utf-8")
    return environment.from_string(source)
