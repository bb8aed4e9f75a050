"""Programs from which a secret was taken out on the way into the record: what is left of them is not what was meant."""

from __future__ import annotations

from collections.abc import Iterator

from novum.core.events.proposals import ProposalMade
from novum.core.model.intervention import Remark
from novum.source.space import SourceSpace
from novum.text.secret_scan import REMOVED

CHECK = "secret"


def remarks(proposal: ProposalMade, space: SourceSpace) -> Iterator[Remark]:
    """A file that has lost more secrets than the base says of itself."""
    for path, text in proposal.candidate.genome.items():
        if str(text).count(REMOVED) > space.plain_base.get(path, "").count(REMOVED):
            yield Remark(CHECK, f"{path}: held what looks like a secret, which was removed", refuses=True)
