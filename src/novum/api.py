"""The Python face: run a study, read a lab, verify a lab."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from novum.audit.verify import Verification
from novum.core.engine.loop import Lab
from novum.core.model.budget import Budget
from novum.core.model.ports import Arena
from novum.core.model.study import Study
from novum.core.state.campaign_state import CampaignState
from novum.core.state.full_state import FullState
from novum.lab import restore, verification
from novum.lab.preflight import clear
from novum.lab.restore import checked
from novum.lab.restore import read_lab as read_lab
from novum.lab.session import session
from novum.ledger.journal import Reader
from novum.views.campaign_summary import Summary, summarise
from novum.views.progress import Progress
from novum.views.progress import progress as progress_of

S = TypeVar("S", bound=CampaignState)


def run(
    study: Study,
    budget: Budget,
    lab: str | Path,
    *,
    workers: int | None = None,
    arena: Arena | None = None,
    force: bool = False,
    progress: bool | Callable[[Progress], None] = False,
) -> Summary:
    """Run `study` in the directory `lab` until `budget` (total over all sessions) is spent, or resume it there.

    workers: parallel workers, one per core by default. arena: an Arena object of your own instead of a named one.
    force: run even if the preflight says that the study cannot succeed. progress: called with how it goes about once a
    second; True prints a line on standard error every ten.
    Raises LabInUse, LabMismatch, MissingExtra, StorageError, StudyError, StudyRefused.
    """
    with session(study, budget, Path(lab), workers=workers, problem=arena) as running:
        if progress:
            tell, every = (_printed, 10.0) if progress is True else (progress, 1.0)
            running.observe = _Observer(running, tell, every)
        clear(running, Path(lab), force=force, named=arena is None)
        running.run()
        return summarise(running.state)


class _Observer:
    """Tells somebody how a campaign goes, at most once in `every` seconds."""

    def __init__(self, lab: Lab, tell: Callable[[Progress], None], every: float) -> None:
        self._lab, self._tell, self._every, self._told = lab, tell, every, float("-inf")

    def __call__(self, state: CampaignState) -> None:
        if state.study.name == self._lab.context.study.name and time.monotonic() - self._told >= self._every:
            self._told = time.monotonic()
            self._tell(progress_of(state, self._lab.wall_seconds))


def _printed(now: Progress) -> None:
    level = "" if now.incumbent_level is None else f", {now.metric} {now.incumbent_level:.4g}"
    done = f"{now.trials} trials, {now.screened} screened, {now.discoveries} supported{level}"
    print(f"{now.study}: {now.wall_seconds:.0f} s, {done}", file=sys.stderr, flush=True)


def read_archive(lab: str | Path) -> FullState:
    """The state of a lab with all its trials and plans by name. Raises UserError when there is no campaign."""
    everything = FullState()
    with Reader(Path(lab)) as reader:
        restore.refold(reader.read(), everything)
    return checked(everything, lab)


def verify(lab: str | Path, *, arena: Arena | None = None, anchor: str = "") -> Verification:
    """Check the record of a lab or an evidence pack: chain, signatures, pre-registration, seeds, scores and verdicts.

    arena: the Arena object of a lab that was run with one of your own; without it scores are not computed again.
    anchor: a root published earlier, whose history the record must still contain.
    """
    return verification.verify(Path(lab), arena, anchor)
