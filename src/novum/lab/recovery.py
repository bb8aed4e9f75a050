"""Recovery: whether another researcher finds what was found, from the start, with as many trials.

A campaign of its own in `LAB/recovery/RESEARCHER`, with the study's arena, options, screening and gate and another
researcher. What it finds is compared by the gain over the baseline on fresh seeds. It is a control: a gain that a
random search finds as well is no credit to who found it. Nothing in it is evidence for the campaign.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from novum.core.events.trials import TrialFinished
from novum.core.events.verdicts import FindingRecorded
from novum.core.model.budget import Budget
from novum.core.model.errors import UserError
from novum.core.model.ports import Arena
from novum.core.model.study import CommentSettings, FollowUpSettings, PolicySettings, ResearcherSettings, Study
from novum.lab.restore import restore
from novum.lab.session import session
from novum.ledger.journal import Reader
from novum.views.finding_views.recovery_result import DIRECTORY, Recovery, compared

Say = Callable[[str], None]


def recover(
    directory: Path,
    researcher: str = "",
    trials: int | None = None,
    *,
    workers: int | None = None,
    arena: Arena | None = None,
    say: Say = lambda _: None,
) -> Recovery:
    """Run, or go on with, the control campaign and compare. researcher: by name; empty: random search, or evolution.

    trials: of the control; by default as many as the incumbent took to be found. Raises UserError without a finding.
    """
    with Reader(directory) as reader:
        state = restore(reader, directory)
        if not state.opened or state.incumbent.hypothesis is None:
            raise UserError(f"the lab {directory} has no finding that stands: there is nothing to recover")
        needed = trials or _trials_until(reader, state.incumbent.hypothesis)
    name = researcher or ("evolve" if state.study.researcher.name == "random" else "random")
    if name == state.study.researcher.name:
        raise UserError(f"{name} is who found it: name another researcher with --researcher")
    place = directory / DIRECTORY / name
    say(f"recovery: {name} from the baseline, {needed} trials, in {place}")
    with session(_study(state.study, name), Budget(trials=needed), place, workers=workers, problem=arena) as lab:
        lab.run()
        return compared(state, lab.state)


def _trials_until(reader: Reader, hypothesis: str) -> int:
    """Trials of the campaign up to the finding of a hypothesis."""
    count = 0
    for record in reader.read():
        count += isinstance(record.event, TrialFinished)
        if isinstance(record.event, FindingRecorded) and record.event.hypothesis == hypothesis:
            break
    return count


def _study(study: Study, researcher: str) -> Study:
    """The study with another researcher and other search seeds, without what does not bear on finding."""
    return replace(
        study,
        seed=study.seed + 1,
        researcher=ResearcherSettings(researcher),
        follow_up=FollowUpSettings(share=0.0, distil=False),
        policy=PolicySettings(),
        comments=CommentSettings(),
    )
