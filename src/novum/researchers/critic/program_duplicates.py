"""Near-duplicates of failures, in programs: the lines of a candidate that gave no score, and little else.

Layout counts for nothing here. A further line that is more than another value may be just what the failure needed, so
it is remarked upon and tried.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from novum.core.events.proposals import ProposalMade
from novum.core.model.candidate import Genome
from novum.core.model.intervention import Remark
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis, Phase
from novum.researchers.critic.gene_duplicates import MEMORY, cause, failed
from novum.source.space import SourceSpace

CHECK = "near-duplicate"
_COMMENTS = ("#", "//")
_VALUE = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|'[^']*'|\"[^\"]*\"|\bTrue\b|\bFalse\b")


@dataclass(frozen=True, slots=True)
class Edit:
    """What a candidate does to its incumbent: lines, without their indentation, by file."""

    added: frozenset[tuple[str, str]]
    removed: frozenset[tuple[str, str]]


def remarks(state: CampaignState, proposal: ProposalMade, space: SourceSpace) -> Iterator[Remark]:
    """The failure that it repeats most of, if it holds all the lines that one of them had added."""
    now = state.incumbent.candidate.genome
    mine = edit(space, proposal.candidate.genome, now)
    lines = [(one, _against_its_own(state, space, one)) for one in failed(state)]
    held = [
        (_further(mine, theirs), one, theirs) for one, theirs in lines if theirs.added and theirs.added <= mine.added
    ]
    if not held:
        return
    further, one, theirs = min(held, key=lambda found: found[0])
    if _harmless(state, space, theirs):
        return
    same = further == 0 or (further == 1 and _other_value(mine, theirs))
    more = "no other line" if not further else f"{further} more line{'s' * (further != 1)}"
    words = f"holds every line that {one.id} added, which failed ({cause(state, one)}), and changes {more}"
    yield Remark(CHECK, words, refuses=same)


def edit(space: SourceSpace, genome: Genome, incumbent: Genome) -> Edit:
    """What one genome does to another."""
    added: list[tuple[str, str]] = []
    removed: list[tuple[str, str]] = []
    for path in {*genome, *incumbent}:
        new, old = space.text(genome, path), space.text(incumbent, path)
        if new != old:
            plus, minus = _difference(new, old)
            added += [(path, line) for line in plus]
            removed += [(path, line) for line in minus]
    return Edit(frozenset(added), frozenset(removed))


@lru_cache(maxsize=512)
def _difference(new: str, old: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    ours, theirs = _lines(new), _lines(old)
    return tuple(ours - theirs), tuple(theirs - ours)


@lru_cache(maxsize=256)
def _lines(text: str) -> Counter[str]:
    """Lines that do something, how often each stands there."""
    lines = (line.strip() for line in text.split("\n"))
    return Counter(line for line in lines if line and not line.startswith(_COMMENTS))


def _against_its_own(state: CampaignState, space: SourceSpace, one: Hypothesis) -> Edit:
    return edit(space, one.candidate.genome, state.candidates[one.registered.incumbent].genome)


def _further(mine: Edit, theirs: Edit) -> int:
    """Lines that differ between the two edits; one line in the place of another is one."""
    more = max(len(mine.added - theirs.added), len(mine.removed - theirs.removed))
    return more + len(theirs.removed - mine.removed)


def _other_value(mine: Edit, theirs: Edit) -> bool:
    """Whether the one further line is a line of the incumbent with other numbers, texts or truth values in it."""
    added, removed = mine.added - theirs.added, mine.removed - theirs.removed
    masked = {(path, _VALUE.sub("#", line)) for path, line in removed}
    return len(added) == 1 and all((path, _VALUE.sub("#", line)) in masked for path, line in added)


def _harmless(state: CampaignState, space: SourceSpace, theirs: Edit) -> bool:
    """Whether a candidate with the same lines has given a score, so that they are not to blame."""
    scored = (one for one in state.screened[-MEMORY:] if one.phase is not Phase.FAILED)
    return any(theirs.added <= _against_its_own(state, space, one).added for one in scored)
