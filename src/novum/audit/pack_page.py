"""The page of a pack: what is claimed, on what evidence, and how to check it, for a reader without Novum.

Everything that a study, a researcher or a trial wrote is untrusted here: it is escaped by the template, and the page
forbids itself every script and every connection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources

import jinja2

from novum.audit.anchor import root
from novum.audit.evidence_bundle import Dossier
from novum.core.model.candidate import Genome
from novum.core.model.study import Study
from novum.core.model.trial_plan import Side
from novum.core.state.hypothesis import FollowUp
from novum.core.state.open_questions import unasked
from novum.gate.judge import difference, support_path
from novum.ledger.key import fingerprint
from novum.version import __version__
from novum.views.candidate_changes import changes_of, is_program
from novum.views.finding_views.claim_text import claim_text, tail_line, tail_text

# Control characters, and the marks that reverse or hide text.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class PairLine:
    """One pair: its place, what it was used for, both scores, their difference, and E after it (verdict pairs)."""

    index: int
    used_for: str
    candidate: str
    incumbent: str
    difference: str
    e_value: str


@dataclass(frozen=True, slots=True)
class GeneLine:
    """One gene on both sides; `changed` when they differ."""

    name: str
    candidate: str
    incumbent: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Fact:
    """A number or a name with what it is."""

    name: str
    value: str


def page(found: Dossier, key: str) -> bytes:
    """The page as UTF-8. key: the lab's public key in hexadecimal."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters["clean"] = clean
    template = environment.from_string(resources.files("novum.audit").joinpath("finding.html").read_text("utf-8"))
    shown = template.render(
        found=found,
        study=found.opening.study,
        genes=list(_genes(found.opening.study, found.rule.candidate.genome, found.rule.incumbent.genome)),
        settings=[Fact("candidate", _listed(found.rule.candidate_setting)), _incumbent_setting(found)],
        evidence=list(_evidence(found)),
        pairs=list(_pairs(found)),
        follow_ups=[*(_follow_up(one) for one in found.hypothesis.follow_ups), *_open(found)],
        versions=[Fact(name, value) for name, value in sorted(found.sessions[-1].versions.items())],
        root=str(root(found.events, found.head)),
        key=fingerprint(key),
        opened=_moment(found.registered_at),
        recorded=_moment(found.found_at),
        novum=__version__,
    )
    return shown.encode("utf-8", errors="replace")


def clean(text: object) -> str:
    """Text that anybody may have written, without what a renderer would obey."""
    return _UNSEEN.sub("", str(text))


def _evidence(found: Dossier) -> Iterator[Fact]:
    rule, verdict, finding = found.rule, found.verdict, found.finding
    unit = "natural-log units" if rule.log else rule.metric
    yield Fact("E (evidence against no improvement)", f"{verdict.e_value:.4g}, threshold {verdict.threshold:.4g}")
    yield Fact("pairs of fresh seeds behind the verdict", str(verdict.pairs))
    yield Fact("failed runs of the candidate", str(verdict.crashes))
    yield Fact("what is claimed", claim_text(rule))
    if lost := tail_line(found.state, found.hypothesis, rule):
        yield Fact("losses", tail_text(lost).removeprefix("losses: "))
    size = "not measured: the budget ended" if finding.effect is None else f"{finding.effect:+.4g} ({unit})"
    yield Fact(f"size, from {finding.pairs} pairs after the verdict", size)
    if finding.interval:
        low, high = finding.interval
        yield Fact(f"{finding.level:.0%} interval", f"{low:+.4g} to {high:+.4g}")
    yield Fact("noise: sd of the difference of two equal runs", f"{rule.sigma:.4g}")
    yield Fact("smallest gain claimed (delta)", f"{rule.delta:g}")
    yield Fact("bound on the share of false findings (alpha)", f"{rule.alpha:g}")
    yield Fact("stake, and number of this confirmation in the campaign", f"{rule.stake:.4g}, no. {rule.position}")
    yield Fact("seed key, committed to before the first trial", rule.key_commitment)
    yield Fact("seed key, revealed afterwards", finding.key)


def _pairs(found: Dossier) -> Iterator[PairLine]:
    rule, runs, pairs = found.rule, found.hypothesis.runs, found.hypothesis.pairs()
    gains = [difference(pair, rule) for pair in pairs]
    path = support_path(rule, gains[: found.verdict.pairs])[1:]
    for index, gain in enumerate(gains):
        judged = index < found.verdict.pairs
        yield PairLine(
            index,
            "verdict" if judged else "size",
            _score(runs[Side.CANDIDATE][index].score, runs[Side.CANDIDATE][index].kind),
            _score(runs[Side.INCUMBENT][index].score, runs[Side.INCUMBENT][index].kind),
            f"{gain:+.4g}",
            f"{path[index]:.4g}" if judged else "",
        )


def _genes(study: Study, candidate: Genome, incumbent: Genome) -> Iterator[GeneLine]:
    if is_program(study):
        for one in changes_of(study, candidate, incumbent):
            yield GeneLine(one.gene, one.new, one.old, True)
        return
    for name in [*candidate, *(one for one in incumbent if one not in candidate)]:
        mine, other = candidate.get(name, "–"), incumbent.get(name, "–")
        yield GeneLine(name, str(mine), str(other), mine != other)


def _incumbent_setting(found: Dossier) -> Fact:
    return Fact("incumbent", _listed(found.rule.incumbent_setting))


def _follow_up(one: FollowUp) -> Fact:
    asked = f"{one.opened.aim}: {one.opened.about}" if one.opened.about else str(one.opened.aim)
    if one.closed is None:
        return Fact(asked, "open")
    size = "" if one.closed.effect is None else f", {one.closed.effect:+.4g}"
    return Fact(asked, f"{one.closed.verdict} (E = {one.closed.e_value:.4g} after {one.closed.pairs} pairs{size})")


def _open(found: Dossier) -> Iterator[Fact]:
    """What was promised with the finding and has not been asked."""
    if not found.hypothesis.retracted:
        for one in unasked(found.state, found.hypothesis):
            asked = f"{one.aim}: {one.about}" if one.about else str(one.aim)
            yield Fact(asked, "promised with the finding, and not asked by the end of this record")


def _listed(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in values.items()) or "none"


def _score(value: float | None, kind: str) -> str:
    return str(kind) if value is None else f"{value:.6g}"


def _moment(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
