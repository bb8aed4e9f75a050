"""The machines of a lab: who works, since when, how fast, and what failed there."""

from __future__ import annotations

from dataclasses import dataclass

from novum.core.model.trial import OutcomeKind
from novum.core.state.campaign_state import CampaignState
from novum.core.state.machine_log import MachineRecord


@dataclass(frozen=True, slots=True)
class MachineLine:
    """One machine. joined, left: elapsed seconds of the session in which it did."""

    id: str
    kind: str
    """The same for machines whose results may be compared."""
    here: bool
    slots: int
    session: int
    joined: float
    left: float | None
    """None while it is here."""
    reason: str
    """Why it has left."""
    groups: int
    """Trial groups whose outcomes came from it, lost ones included."""
    trials: int
    cpu_seconds: float
    trials_per_cpu_minute: float | None
    failed: int
    """Trials that ended without a score, lost ones apart."""
    lost: int
    """Trials that were lost with it, and run again elsewhere."""
    system: str
    processor: str
    python: str
    packages: dict[str, str]
    isolation: str
    probe: str
    """SHA-256 of what it made of the trial that every machine runs first; empty where two runs differed."""


@dataclass(frozen=True, slots=True)
class MachineTable:
    """All machines that ever worked for a lab, in the order in which they joined."""

    lab: str
    machines: tuple[MachineLine, ...]
    kinds: int
    """How many kinds of machine there are among those that are here."""


def machine_table(state: CampaignState, lab: str) -> MachineTable:
    """The machines of a campaign."""
    lines = tuple(_line(one) for one in state.machines.known.values())
    return MachineTable(lab, lines, len({one.kind for one in lines if one.here}))


def _line(one: MachineRecord) -> MachineLine:
    trials, lost = sum(one.outcomes.values()), one.outcomes[OutcomeKind.LOST]
    scored = one.outcomes[OutcomeKind.SCORED]
    machine = one.machine
    return MachineLine(
        id=machine.id,
        kind=one.kind,
        here=one.left is None,
        slots=machine.slots,
        session=one.session,
        joined=one.joined,
        left=one.left,
        reason=one.reason,
        groups=one.groups,
        trials=trials,
        cpu_seconds=one.cpu_seconds,
        trials_per_cpu_minute=60.0 * scored / one.cpu_seconds if one.cpu_seconds > 0 else None,
        failed=trials - scored - lost,
        lost=lost,
        system=machine.system,
        processor=machine.processor,
        python=machine.python,
        packages=dict(machine.packages),
        isolation=machine.isolation,
        probe=machine.probe,
    )
