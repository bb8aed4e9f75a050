"""What a record that holds does not show, each with what to do about it: no check of it could name a lie of these."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from novum.audit.auditor import Audit
from novum.core.engine.stages.follow_up import has_room
from novum.core.events.promises import Question
from novum.core.state.campaign_state import CampaignState
from novum.core.state.open_questions import open_questions
from novum.gate import leak_check
from novum.gate import preflight_checks as conclude
from novum.text.format import counted, cut

SHOWN = 5
"""Follow-ups that are named."""

_TRIED_BESIDE = ("determinism", leak_check.NAME, conclude.TRUTH, conclude.MOVES)
"""Answers of a preflight that no event of the record gives again."""


def not_shown(audit: Audit, last: int) -> Iterator[str]:
    """What is left to believe in a record of `last` events, in words."""
    if not audit.state.opened:
        return
    signatures = audit.signatures
    if not signatures.good:
        yield (
            "who wrote it: no checkpoint is signed, so whoever had the files could have written all of it; "
            "a session of today's Novum signs (`novum run`)"
        )
    anchor = signatures.known.anchor
    if anchor is None or anchor.seq < last:
        after = f"after event {anchor.seq} " if anchor else ""
        yield (
            f"that {after}nothing was cut off its end, and nothing written anew by its owner (authors, words, "
            "predictions, alarms, settings of the search, times, costs, machines): publish a root from time to time "
            "(`novum anchor`), and hold the record against it (`novum verify --anchor ROOT`)"
        )
    yield "that the trials gave these artefacts: run some of them again (`novum replay`)"
    yield from _follow_ups(audit.state)
    yield from _preflight(audit)


def _follow_ups(state: CampaignState) -> Iterator[str]:
    """Questions to findings that were promised and are open, and findings to which nothing was promised."""
    asked = [f"{one.id} {question}" for one, question in open_questions(state)]
    if state.following:
        now = state.following.follow_ups[-1].opened
        asked.insert(0, f"{state.following.id} {Question(now.aim, now.about)} (begun)")
    if asked:
        more = "; …" if len(asked) > SHOWN else ""
        room = has_room(state, state.study.follow_up.share)
        paid = ", although their share of the trials would have paid for more" if room else ""
        yield (
            f"what {counted(len(asked), 'follow-up')} would say, promised or begun and open at the end of this record"
            f"{paid}: {cut('; '.join(asked[:SHOWN]), 400)}{more}; a larger budget asks them (`novum run`)"
        )
    silent = [one.id for one in state.findings if one.promised is None]
    if silent:
        names = ", ".join(silent[:SHOWN]) + (", …" if len(silent) > SHOWN else "")
        yield f"that no follow-up of {names} was left out: follow-ups were not promised in records of that version"


def controls_not_here(names: Sequence[str]) -> str:
    """What is left to believe of controls whose own records cannot be read."""
    return (
        f"the preflight's {', '.join(names)}: their own records are not here (LAB/preflight); verify the lab itself, "
        "or ask again (`novum preflight`)"
    )


def _preflight(audit: Audit) -> Iterator[str]:
    found = audit.state.preflight
    if found is None:
        yield "that the study could succeed at all: no preflight is in the record (`novum preflight`)"
        return
    if audit.record.worded_elsewhere:
        yield (
            "the preflight's words and the power it reckoned: another version of novum wrote them, and of its answers "
            "only the noise was computed again; verify with that version"
        )
    told = [one.name for one in found.checks if one.name in _TRIED_BESIDE and one.asked]
    if told:
        yield f"the preflight's {', '.join(told)}: tried beside the record; ask again (`novum preflight`)"
