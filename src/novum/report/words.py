"""Words for the report: numbers, changes of genes, the conclusion, and the study as a TOML file."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from novum.core.nouns import Genome, Scalar
from novum.core.study import Budget, Study
from novum.core.unseen import without
from novum.core.words import written
from novum.ledger.codec import plain
from novum.report.history import History, Reign
from novum.report.summary import Summary

ASKED = {"replicate": "again, on fresh seeds", "transfer": "elsewhere:", "ablate": "without", "metric": "on"}
"""How a follow-up is introduced, by its aim."""

MAX_WRITTEN = 2000
"""Longer values, such as a packed program, are not written out in a study file for reading."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Change:
    """One gene that differs: its value in the incumbent and in the candidate ("–" when it is absent there)."""

    gene: str
    old: str
    new: str


def clean(text: str) -> str:
    """Text that anybody may have written, without what a terminal or a bidirectional renderer would obey."""
    return without(text)


def cut(text: str, length: int) -> str:
    """At most `length` characters, in one line."""
    line = " ".join(clean(text).split())
    return line if len(line) <= length else line[: length - 1] + "…"


def number(value: float | None, digits: int = 4) -> str:
    """Significant digits without padding, thousands separated; a dash for None."""
    if value is None:
        return "–"
    if math.isfinite(value) and (value == int(value) or abs(value) >= 10**digits) and abs(value) < 1e9:
        return f"{round(value):,}"
    return f"{value:,.{digits}g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")


def signed(value: float | None) -> str:
    """A difference, with its sign."""
    return "–" if value is None else f"{value:+.3g}"


def seconds(value: float) -> str:
    """A duration for people: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min."""
    if value < 60:
        return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def moment(microseconds: int) -> str:
    """Microseconds since the epoch as UTC date and time."""
    return datetime.fromtimestamp(microseconds / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def changes(candidate: Genome, incumbent: Genome) -> list[Change]:
    """The genes in which a candidate differs from its incumbent, in the candidate's order."""
    names = [*candidate, *(name for name in incumbent if name not in candidate)]
    return [
        Change(cut(name, 80), _value(incumbent, name), _value(candidate, name))
        for name in names
        if candidate.get(name) != incumbent.get(name)
    ]


def _value(genome: Genome, name: str) -> str:
    return cut(written(genome[name]), 80) if name in genome else "–"


def in_line(found: list[Change], length: int = 60) -> str:
    """Changes as plain text for a chart: spin 0→2, edge 0→4."""
    return cut(", ".join(f"{one.gene} {one.old}→{one.new}" for one in found) or "no difference", length)


def budget_text(budget: Budget) -> str:
    """A budget as a study file writes it; empty when unbounded."""
    parts = []
    if budget.wall_seconds is not None:
        parts.append(f"{_decimal(budget.wall_seconds)}s")
    if budget.cpu_seconds is not None:
        parts.append(f"cpu {_decimal(budget.cpu_seconds)}s")
    if budget.trials is not None:
        parts.append(f"{budget.trials} trials")
    return ", ".join(parts)


def _decimal(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def counted(n: int, one: str, many: str = "") -> str:
    """A number and its noun."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


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
    if not history.reigns:
        return
    first, last = history.reigns[0], history.reigns[-1]
    candidates = history.state.candidates
    if last.hypothesis is None:
        yield "The baseline is still the best candidate known."
    else:
        found = changes(candidates[last.candidate].genome, candidates[first.candidate].genome)
        yield f"The best candidate now is that of {last.hypothesis}; against the baseline it has {in_line(found, 300)}."
        if last.mean is not None and first.mean is not None and history.state.card:
            direction = "higher" if history.state.card.higher_is_better else "lower"
            yield (
                f"On fresh seeds its {clean(history.state.card.metric)} is {_mean(last)}, "
                f"the baseline's is {_mean(first)} ({direction} is better)."
            )


def _mean(reign: Reign) -> str:
    spread = "" if reign.error is None else f" ± {number(reign.error, 2)}"
    caution = ", from the runs that made it incumbent, which overstate" if reign.selected else ""
    return f"{number(reign.mean)}{spread} ({counted(reign.runs, 'run')}{caution})"


def _guarantee(history: History, summary: Summary) -> str:
    assert history.state.study
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
