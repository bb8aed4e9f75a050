"""What every alarm may know beside the state: thresholds, and what kind of study it watches over."""

from __future__ import annotations

from dataclasses import dataclass

from novum.core.engine.stages.propose import CONTROL
from novum.core.model.candidate import Space
from novum.core.model.ports import Arena, ComputesOnly
from novum.core.model.study import Study, WatchdogSettings

WITHOUT_CONTROL = (CONTROL, "inbox")
"""Researchers beside whom random ideas make no sense: they are those already, or none but people's are wanted."""


@dataclass(frozen=True, slots=True)
class AlarmInputs:
    """What the alarms of one campaign look at beside its state."""

    settings: WatchdogSettings
    foreign: bool
    """Whether candidates are code, or report their own score, so that a score may be a trick."""
    controls: frozenset[str]
    """Researchers that never rest."""
    explores: bool
    """Whether the control has something to add to the study's own researcher."""


def alarm_inputs(study: Study, arena: Arena) -> AlarmInputs:
    """Those of a study with its arena. Candidates of typed genes run nothing that is not the arena's own."""
    name, options = study.researcher.name, study.researcher.options
    controls = {CONTROL, str(options.get("control", CONTROL))} if name == "portfolio" else {CONTROL}
    foreign = not isinstance(arena.space, Space | ComputesOnly) or bool(arena.spec.trust)
    return AlarmInputs(study.watchdog, foreign, frozenset(controls), name not in WITHOUT_CONTROL)
