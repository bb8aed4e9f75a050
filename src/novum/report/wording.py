"""Words for the report: numbers, changes of genes, the conclusion, and the study as a TOML file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from novum.core.model.budget import Budget, budget_text
from novum.core.model.candidate import Scalar
from novum.core.model.study import Study
from novum.ledger.codec import plain
from novum.text.format import clean, counted, number
from novum.views.campaign_history import History, IncumbentPeriod
from novum.views.campaign_summary import Summary
from novum.views.candidate_changes import change_words

MAX_WRITTEN = 2000
"""Longer values, such as a packed program, are not written out in a study file for reading."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def conclusion(history: History, summary: Summary) -> list[str]:
    """What the campaign showed, in sentences that follow from the data alone."""
    return [_what_was_done(summary), *_what_was_found(history), _guarantee(history, summary)]


def _what_was_done(summary: Summary) -> str:
    if not summary.hypotheses:
        return f"No hypothesis has been registered yet ({counted(summary.trials, 'trial')} so far)."
    return (
        f"Novum registered {counted(summary.hypotheses, 'hypothesis', 'hypotheses')} and ran "
        f"{counted(summary.trials, 'trial')}: {summary.supported:,} supported, {summary.refuted:,} refuted, "
        f"{summary.inconclusive:,} inconclusive and {summary.failed:,} failed."
    )


def _what_was_found(history: History) -> Iterator[str]:
    if not history.incumbent_runs:
        return
    first, last = history.incumbent_runs[0], history.incumbent_runs[-1]
    candidates = history.state.candidates
    if last.hypothesis is None:
        yield "The baseline is still the best candidate known."
    else:
        found = change_words(
            history.state.study, candidates[last.candidate].genome, candidates[first.candidate].genome, 300
        )
        yield f"The best candidate now is that of {last.hypothesis}; against the baseline it has {found}."
        if last.mean is not None and first.mean is not None and history.state.spec:
            direction = "higher" if history.state.spec.higher_is_better else "lower"
            yield (
                f"On fresh seeds its {clean(history.state.spec.metric)} is {_mean(last)}, "
                f"the baseline's is {_mean(first)} ({direction} is better)."
            )


def _mean(reign: IncumbentPeriod) -> str:
    spread = "" if reign.error is None else f" ± {number(reign.error, 2)}"
    caution = ", from the runs that made it incumbent, which overstate" if reign.selected else ""
    return f"{number(reign.mean)}{spread} ({counted(reign.runs, 'run')}{caution})"


def _guarantee(history: History, summary: Summary) -> str:
    share = f"{100 * history.state.study.gate.alpha:g} %"
    if not summary.supported:
        return (
            "Nothing was supported: no candidate has been shown to beat its incumbent. That is not proof that none "
            "does; it means that no claim earned the evidence which keeps the expected share of false findings at "
            f"{share} or less over the whole campaign."
        )
    return (
        "The guarantee: over the whole campaign, at whatever moment one looks and whoever proposed, the expected "
        f"share of false findings among the supported ones is at most {share}."
    )


def study_toml(study: Study, budget: Budget) -> str:
    """The study as a file that `novum run` accepts, every default written out."""
    values = {"budget": budget_text(budget), **plain(study)}
    lines: list[str] = []
    _table(values, "", lines)
    return "\n".join(lines) + "\n"


def _table(values: Mapping[str, object], path: str, lines: list[str]) -> None:
    nested = {key: value for key, value in values.items() if isinstance(value, dict)}
    for key, value in values.items():
        if isinstance(value, str) and len(value) > MAX_WRITTEN:
            lines.append(f"# {_key(key)}: {len(value):,} characters, in the record")
        elif key not in nested and value not in (None, ""):
            lines.append(f"{_key(key)} = {_scalar(value)}")  # type: ignore[arg-type]
    for key, table in nested.items():
        if table:
            name = f"{path}.{_key(key)}" if path else _key(key)
            lines.extend(["", f"[{name}]"])
            _table(table, name, lines)


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _scalar(name)


def _scalar(value: Scalar) -> str:
    """A TOML value. JSON's strings, numbers and booleans are TOML's, but for DEL, which TOML wants escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
