"""Leak risks in a program: names of hidden files, ways out of the sandbox, tables that could hold answers.

The walls hold without this: hidden files are not in the sandbox. Whoever names one all the same is not looking for a
better program.
"""

from __future__ import annotations

from collections.abc import Iterator, Set

from novum.core.events.proposals import ProposalMade
from novum.core.model.intervention import Remark
from novum.core.state.campaign_state import CampaignState
from novum.researchers.critic.code_features import TABLE, Traits, changed
from novum.source.space import SourceSpace

CHECK = "leak risk"
LONGEST = 400
"""Characters of a text beyond which it is no path."""


def remarks(state: CampaignState, proposal: ProposalMade, space: SourceSpace, hidden: Set[str]) -> Iterator[Remark]:
    """What the change brings in; only the name of a hidden file is refused."""
    incumbent = state.incumbent.candidate.genome
    for path, mine, before in changed(proposal.candidate.genome, incumbent, space):
        for text, line in mine.strings.items() if hidden else ():
            if not any(text in known.strings for known in before) and (name := names(text, hidden)):
                yield Remark(CHECK, f"{path}:{line}: names {name}, which is hidden from candidates", refuses=True)
        if new := [f"{path}:{line}: uses {what}" for what, line in mine.reaches.items() if _new(what, before)]:
            yield Remark(CHECK, "; ".join(new))
        most = max((known.table for known in before), default=0)
        if mine.table - most >= TABLE:
            words = f"{path}:{mine.table_line}: {mine.table - most} more constants in tables, which could hold answers"
            yield Remark(CHECK, words)


def names(text: str, hidden: Set[str]) -> str:
    """The hidden file that a text is a path of; empty when it is none."""
    if len(text) > LONGEST:
        return ""
    parts = [part for part in text.strip().replace("\\", "/").split("/") if part not in ("", ".")]
    ends = ("/".join(parts[start:]) for start in range(len(parts)))
    return next((end for end in ends if end in hidden), "")


def _new(what: str, before: tuple[Traits, ...]) -> bool:
    return not any(what in known.reaches for known in before)
