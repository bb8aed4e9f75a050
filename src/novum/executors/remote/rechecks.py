"""A share of all outputs is run again on another machine of the same kind: whose outputs differ is found, and blamed.

One further run tells that two machines differ, a second one whom to blame: the machine that the other two runs agree
against. Machines whose own two runs of the probe differ are left out, as nothing can be held against them byte for
byte. Which groups are taken is drawn in the lab, so that no machine can know it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from novum.core.model.hardware import Machine, Recheck
from novum.core.model.trial import TrialGroup, TrialOutput

ONE_IN = 50
"""Of how many groups one is run again."""
_MARK = " again"


@dataclass(frozen=True, slots=True)
class _Open:
    """A group whose outputs are being run again. digests: of the recorded outcome, then of the runs since."""

    group: TrialGroup
    kind: str
    runs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Again:
    """A group to be run on a machine of this kind, but for one."""

    group: TrialGroup
    kind: str
    avoid: str


class Rechecks:
    """What is being run again, and what that has shown."""

    def __init__(self, one_in: int = ONE_IN) -> None:
        self._one_in = one_in
        self._open: dict[str, _Open] = {}
        self.found: list[Recheck] = []
        self.blamed: set[str] = set()
        """All machines that were ever blamed; `found` is emptied by another thread."""

    def chosen(self, group: TrialGroup, machine: Machine, outputs: Sequence[TrialOutput], others: int) -> Again | None:
        """What to run again, if chance has chosen this group. others: machines of the same kind."""
        whole = bool(outputs) and all(one.artefact is not None for one in outputs)
        if not (whole and others and machine.probe) or secrets.randbelow(self._one_in):
            return None
        name = f"{group.id}{_MARK}"
        copy = replace(group, id=name, together="", kind="")
        self._open[name] = _Open(copy, machine.kind, ((machine.id, digest(outputs)),))
        return Again(copy, machine.kind, machine.id)

    def holds(self, group: TrialGroup) -> bool:
        """Whether a group is such a further run, which the lab does not wait for."""
        return group.id in self._open

    def dropped(self, group: TrialGroup) -> None:
        """A further run was lost: nothing is known of it."""
        self._open.pop(group.id, None)

    def ran(self, group: TrialGroup, machine: Machine, outputs: Sequence[TrialOutput], seconds: float) -> Again | None:
        """Take in a further run; returns another one where it takes that to tell whom to blame."""
        one = self._open.pop(group.id)
        if any(output.artefact is None for output in outputs):
            return None
        runs = (*one.runs, (machine.id, digest(outputs)))
        (first, recorded), (_, latest) = runs[0], runs[-1]
        name = group.id.removesuffix(_MARK)
        if len(runs) == 2 and latest != recorded:
            self.found.append(Recheck(name, first, machine.id, False, seconds))
            self._open[group.id] = replace(one, runs=runs)
            return Again(group, one.kind, first)
        blamed = _blamed(runs) if len(runs) > 2 else ""
        self.blamed |= {blamed} - {""}
        self.found.append(Recheck(name, first, machine.id, latest == recorded and not blamed, seconds, blamed))
        return None


def _blamed(runs: Sequence[tuple[str, str]]) -> str:
    """The machine that the two other runs agree against."""
    (first, recorded), (second, other), (_, third) = runs
    if third == other:
        return first
    return second if third == recorded else ""


def digest(outputs: Sequence[TrialOutput]) -> str:
    """What a group has come to: its artefacts, or how its trials failed."""
    found = hashlib.sha256()
    for one in outputs:
        found.update(b"-" if one.artefact is None else b"+" + hashlib.sha256(one.artefact).digest())
        found.update(str(one.failure or "").encode() + b"\0")
    return found.hexdigest()
