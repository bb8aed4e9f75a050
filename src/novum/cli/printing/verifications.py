"""What a check of a record has found, in plain words on a terminal: the worst of it first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from novum.cli.printing.output import line

if TYPE_CHECKING:
    from novum.audit.verify import Verification


def print_verification(found: Verification) -> None:
    """The verdict in the first line, then what it rests on, and what no check shows."""
    if found.lie:
        print(f"the record does NOT hold: {line(found.lie)}")
        return
    counts = f"{found.events} events, {found.trials} trials, {found.verdicts} verdicts re-judged"
    unsigned = " but is UNSIGNED, so that anybody may have written it" if found.events and not found.signed else ""
    unchecked = ", and the pack says more that was NOT CHECKED" if found.unchecked else ""
    print(f"the record holds{unsigned}{unchecked}: {counts}")
    for one in found.unchecked:
        print(f"not checked: {line(one)}")
    for note in found.notes:
        print(f"note: {line(note)}")
    for one in found.not_shown:
        print(f"not shown: {line(one)}")
    print(f"head {found.head}")
