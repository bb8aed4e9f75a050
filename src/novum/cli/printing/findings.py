"""Findings in plain words on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from novum.cli.printing.output import genome, is_source, line, number
from novum.core.model.metric import COMPUTE, is_free

if TYPE_CHECKING:
    from collections.abc import Sequence

    from novum.views.campaign_summary import Finding
    from novum.views.finding_views.finding_details import Exploratory, GuardLine, HoldoutLine


RATIONALE = 300
"""Characters of a rationale that are shown."""


def print_findings(found: list[Finding]) -> None:
    """Findings as a table with one line of plain words each."""
    from novum.views.finding_views.claim_text import tail_text
    from novum.views.finding_views.more_of_the_same import same_text

    if not found:
        print("no supported findings")
        return
    for finding in found:
        interval = (
            "no interval" if finding.interval is None else f"{finding.interval[0]:+.3g} .. {finding.interval[1]:+.3g}"
        )
        changed = {k: v for k, v in finding.candidate.items() if finding.incumbent.get(k) != v}
        print(f"\n{finding.id}  {finding.grade}: {_changed(finding)}")
        if not is_source(finding.candidate, finding.incumbent):
            print(f"    instead of {genome({k: finding.incumbent.get(k, '-') for k in changed})}")
        print(f"    proposed by {line(finding.author)}: {_cut(line(finding.rationale)) or 'no reason given'}")
        gains = f"gains more than {finding.delta:g}" if finding.delta >= 0 else f"loses less than {-finding.delta:.3g}"
        print(
            f"    that it {gains}: E = {finding.e_value:.4g} >= {finding.threshold:.4g} "
            f"after {finding.n} pairs of fresh seeds"
        )
        print(f"    claimed is {finding.claim}")
        open_ = finding.interval and finding.interval[0] <= finding.delta
        print(
            f"    how much: {number(finding.effect)} ({finding.level:.0%} interval {interval}) from "
            f"{finding.effect_pairs} {finding.effect_source}{', too few to tell that by themselves' if open_ else ''}"
        )
        if finding.same_every_time:
            print(f"    {finding.same_every_time}")
        if finding.tail:
            print(f"    {tail_text(finding.tail)}")
        if finding.more:
            print(f"    {same_text(finding.more)}")
        print(f"    {_costs(finding)}")
        mine, other = finding.candidate_tuning, finding.incumbent_tuning
        print(f"    tuned with {mine.trials} / {other.trials} trials ({mine.settings} settings, {mine.seeds} seeds)")
        print(f"    {finding.trust}; trials: {finding.isolation or 'not recorded'}")
        for remark in finding.remarks:
            print(f"    the critic remarked: {line(remark)}")
        if finding.suspicion:
            print(f"    called too good to be true: {line(finding.suspicion)}")
        for said in further(finding):
            print(f"    {line(said)}")


def _guarded(one: GuardLine, compute: str) -> str:
    """What a guardrail showed."""
    if one.metric == COMPUTE:
        allowed = "compute is free in this study" if is_free(one.margin) else f"at most {one.margin:.3g} is allowed"
        return (
            f"at {number(one.worsening)} times the incumbent's compute ({compute}, mean of {one.observations} pairs; "
            f"{allowed})"
        )
    return (
        f"guardrail {one.metric}: E = {one.e_value:.3g} >= {one.needed:.3g} that it is kept; margin {one.margin:.3g}, "
        f"worsening {number(one.worsening)}"
    )


def further(finding: Finding) -> list[str]:
    """Guardrails and follow-ups of a finding, a line each."""
    from novum.core.model.trial_plan import ASKED

    lines = [_guarded(one, finding.compute) for one in finding.guardrails]
    if finding.holdout:
        lines.append(f"{finding.holdout}, which nothing else has seen")
    for one in finding.follow_ups:
        about = f" {one.about}" if one.about else ""
        size = "" if one.effect is None else f", effect {one.effect:+.3g}"
        if one.interval is not None and one.level is not None:
            size += f" ({one.level:.0%} {one.interval[0]:+.3g} .. {one.interval[1]:+.3g})"
        lines.append(f"{ASKED[one.aim]}{about}: {one.verdict} after {one.n} pairs{size}")
    if finding.promised:
        lines.append(f"promised, and not asked yet: {'; '.join(finding.promised)}")
    return lines


def print_holdout(found: HoldoutLine | None) -> None:
    """What is left of the holdout, and what naive use of it would claim."""
    if found is None:
        return
    now = "closed" if found.closed else f"{found.left} left"
    print(f"\nfinal data: {found.queries} queries ({found.mechanism}), {now}")
    if found.warning:
        print(f"    warning: {line(found.warning)}")


def print_exploratory(found: Sequence[Exploratory]) -> None:
    """Claims that came close, and what to do with them."""
    if not found:
        return
    print("\nexploratory (evidence for a single test, not for this campaign; `novum run ... --reopen ID` asks again):")
    for one in found[:5]:
        print(f"    {one.id}  {_changed(one)}: E = {one.e_value:.3g} of {one.threshold:.3g} after {one.n} pairs")


def _changed(one: Finding | Exploratory) -> str:
    """What a candidate changes in its incumbent: genes with their new values, or values and lines of a program."""
    if is_source(one.candidate, one.incumbent):
        return line(one.change)
    return genome({k: v for k, v in one.candidate.items() if one.incumbent.get(k) != v})


def _cut(text: str) -> str:
    return text if len(text) <= RATIONALE else text[: RATIONALE - 1] + "…"


def _costs(finding: Finding) -> str:
    """What the two sides cost, candidate / incumbent."""
    mine, other = finding.candidate_cost, finding.incumbent_cost or finding.candidate_cost
    cpu, other_cpu = number(finding.candidate_cpu_seconds), number(finding.incumbent_cpu_seconds)
    built = (
        ("parameters", f"{mine.parameters} / {other.parameters}"),
        ("state floats", f"{mine.state_floats} / {other.state_floats}"),
        ("FLOP", f"{mine.flop:.3g} / {other.flop:.3g}"),
    )
    known = [f"{words} {name}" for name, words in built if words != "0 / 0"]
    return f"cost {', '.join([*known, f'{cpu} / {other_cpu} CPU s a trial'])}"
