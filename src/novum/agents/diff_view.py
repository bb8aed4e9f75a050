"""An agent's edit for people: in a line, and as the difference to what the agent found."""

from __future__ import annotations

from novum.agents.agent_task import Workspace
from novum.core.model.candidate import CandidateSpace, Genome, change_text, changes
from novum.source.patch import patch
from novum.source.patch import summary as lines
from novum.source.space import SourceSpace
from novum.text.clean import exact
from novum.text.format import clean


def summary(space: CandidateSpace, made: Workspace, genome: Genome) -> str:
    """What was changed, in a line."""
    if not isinstance(space, SourceSpace):
        return change_text(genome, made.start, 300)
    found, gone = _moved(space, made, genome)
    return clean("; ".join([lines(found, space.complete(genome)), *(f"{path}: deleted" for path in gone)]))


def difference(space: CandidateSpace, made: Workspace, genome: Genome) -> str:
    """A unified diff against the incumbent that the agent saw, its odd characters written out; for genes, these."""
    if not isinstance(space, SourceSpace):
        return "\n".join(f"{one.gene}: {one.old} -> {one.new}" for one in changes(genome, made.start))
    found, gone = _moved(space, made, genome)
    text = patch(found, space.complete(genome)) + "".join(f"deleted: {path}\n" for path in gone)
    return exact(text).rstrip("\n")


def _moved(space: SourceSpace, made: Workspace, genome: Genome) -> tuple[SourceSpace, list[str]]:
    """The space around the incumbent instead of the base, and the incumbent's files that are gone."""
    before = space.complete(made.start)
    moved = SourceSpace(before, space.creatable, space.modules)
    return moved, [path for path in before if path not in space.complete(genome)]
