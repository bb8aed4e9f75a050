"""The battery: every target searched with its answer hidden, beside a control that draws at random.

A target is searched until its answer is found and confirmed, or its share of the budget is used; the control then gets
as much CPU time as the search took. What a target does not need is left to those after it. What is finished is kept in
the folder and not run again.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

from novum.battery import campaigns
from novum.battery.allowance import Allowance
from novum.battery.target import TargetStudy
from novum.battery.target_outcome import BatteryResult, Side, TargetOutcome
from novum.core.model.errors import UserError
from novum.core.model.options import parse_options
from novum.text.bounded_json import load_json

RESULT = "outcome.json"
LEAST_SECONDS = 5.0
"""Of CPU time for each campaign."""


@dataclass(frozen=True, slots=True)
class Settings:
    """cpu_seconds: of all campaigns together. jobs: targets at a time. folder: where labs and outcomes are."""

    cpu_seconds: float
    folder: Path
    seed: int = 0
    jobs: int = 2


def run(chosen: Sequence[TargetStudy], settings: Settings, tell: Callable[[str], None]) -> BatteryResult:
    """Run or finish the battery; `tell` is called with lines of progress. Raises UserError for too small a budget."""
    allowance = _allowance(chosen, settings)
    stop = threading.Event()
    outcomes: dict[str, TargetOutcome] = {}
    failed: dict[str, str] = {}
    with ThreadPoolExecutor(settings.jobs) as pool:
        waiting = {pool.submit(_target, one, allowance, settings, tell, stop): one.name for one in chosen}
        try:
            for done in as_completed(waiting):
                try:
                    if (outcome := done.result()) is not None:
                        outcomes[waiting[done]] = outcome
                except UserError as error:  # one target that cannot be run says nothing of the others
                    failed[waiting[done]] = str(error)
                    tell(f"{waiting[done]}: {error}")
        except BaseException:
            stop.set()
            for future in waiting:
                future.cancel()
            raise
    return table([outcomes[one.name] for one in chosen if one.name in outcomes], settings.seed, failed)


def table(outcomes: list[TargetOutcome], seed: int, failed: dict[str, str]) -> BatteryResult:
    """The outcomes with their sums."""
    return BatteryResult(
        outcomes,
        sum(one.found for one in outcomes),
        sum(one.confirmed for one in outcomes),
        sum(one.random_found for one in outcomes),
        round(sum(one.cpu_seconds + one.random_cpu_seconds for one in outcomes), 1),
        seed,
        failed,
    )


def _allowance(chosen: Sequence[TargetStudy], settings: Settings) -> Allowance:
    """The budget without what finished targets took. Raises UserError where it is too small for those to be run."""
    finished = {one.name: outcome for one in chosen if (outcome := _finished(settings.folder / one.name))}
    waiting = {one.name: one.target.share for one in chosen if one.name not in finished}
    left = settings.cpu_seconds - sum(one.cpu_seconds + one.random_cpu_seconds for one in finished.values())
    least = 2 * LEAST_SECONDS * sum(waiting.values()) / min(waiting.values(), default=1.0)
    if waiting and left < least:
        used = settings.cpu_seconds - left
        raise UserError(f"--budget: {len(waiting)} targets need at least {used + least:.0f} s of CPU time")
    return Allowance(left, waiting)


def _finished(folder: Path) -> TargetOutcome | None:
    """The outcome of a target that has been run in this folder."""
    kept = folder / RESULT
    if not kept.exists():
        return None
    return parse_options(TargetOutcome, load_json(kept.read_bytes()), f"the outcome in {kept}", "outcome")


def _target(
    one: TargetStudy, allowance: Allowance, settings: Settings, tell: Callable[[str], None], stop: threading.Event
) -> TargetOutcome | None:
    """One target with its control; what is there already is taken as it is. None once the battery is stopped."""
    if (known := _finished(settings.folder / one.name)) is not None:
        return known
    if stop.is_set():
        return None
    outcome, used = None, 0.0
    seconds = allowance.take(one.name)
    try:
        outcome = _run(one, seconds / 2, settings, tell, stop)
    finally:
        if outcome is not None:
            used = outcome.cpu_seconds + outcome.random_cpu_seconds
        allowance.settle(one.name, used)
    return outcome


def _run(
    one: TargetStudy, seconds: float, settings: Settings, tell: Callable[[str], None], stop: threading.Event
) -> TargetOutcome | None:
    """A target's search and its control; None once the battery is stopped."""
    folder = settings.folder / one.name
    mine = _searched(one, folder / "lab", seconds, settings.seed, tell, stop)
    if mine is None or stop.is_set():
        return None
    tell(f"{one.name}: the control, at random for {mine.cpu_seconds:.0f} s of CPU time")
    text = campaigns.study_text(one, control=True)
    campaigns.run(folder / "random", text, mine.cpu_seconds, settings.seed, stop.is_set, force=True)
    if stop.is_set():
        return None
    control = campaigns.read(one, folder / "random")
    holds = all(campaigns.verified(folder / name) for name in ("lab", "random"))
    labs = (str(folder / "lab"), str(folder / "random"))
    outcome = TargetOutcome.of(one.name, (one.target.answer, one.target.hidden), (mine, control), holds, labs)
    kept = folder / RESULT
    part = kept.with_suffix(".part")  # so that what is killed here leaves no half of an outcome
    part.write_text(json.dumps(asdict(outcome), indent=1), "utf-8")
    part.replace(kept)
    tell(f"{one.name}: {_words(outcome)}")
    return outcome


def _searched(
    one: TargetStudy, lab: Path, seconds: float, seed: int, tell: Callable[[str], None], stop: threading.Event
) -> Side | None:
    """The search, until the answer is confirmed or the CPU time is used; None if the battery is stopped meanwhile."""
    tell(f"{one.name}: searching for at most {seconds:.0f} s of CPU time")
    findings = 0

    def enough() -> bool:
        nonlocal findings
        if stop.is_set():
            return True
        if (now := campaigns.findings(lab)) == findings:
            return False
        findings = now
        return campaigns.read(one, lab).confirmed

    campaigns.run(lab, campaigns.study_text(one, control=False), seconds, seed, enough)
    return campaigns.read(one, lab)


def _words(one: TargetOutcome) -> str:
    """A line about an outcome."""
    end = "found and confirmed" if one.confirmed else "found, not confirmed" if one.found else "not found"
    control = "found it too" if one.random_found else "did not find it"
    return f"{end} after {one.cpu_seconds:.0f} s of CPU time and {one.candidates:,} candidates; chance {control}"
