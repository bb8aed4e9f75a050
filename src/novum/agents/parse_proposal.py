"""From what an agent left to a candidate that the arena admits, a reason and a prediction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from novum.agents.agent_task import AgentFailed, Edit, Idea, Workspace
from novum.agents.parse_edit import named
from novum.agents.workspace import admits
from novum.core.model.candidate import Candidate, Genome, Space
from novum.core.model.errors import StudyError
from novum.core.model.ports import Arena
from novum.core.state.campaign_state import CampaignState
from novum.lab.proposal_checks import admitted
from novum.researchers.language.reply_forms import GeneForm
from novum.researchers.language.untrusted_text import clean, shortened, without_secrets
from novum.source.space import SourceSpace
from novum.text.json_in_prose import find_objects

RATIONALE = 4000
"""Characters of a rationale."""

NO_REASON = "no reason given"
_ANSWER_BYTES = 256 << 10
_LARGEST = 1e9


def idea(edit: Edit, workspace: Workspace, state: CampaignState, arena: Arena) -> Idea:
    """The proposal in an edit, held to what the lab will ask of it. Raises AgentFailed with what is wrong."""
    said, notes = _answer(edit.files.get(workspace.proposal_name, workspace.template))
    space: object = arena.space
    _check_paths(edit, workspace, space)
    try:
        if isinstance(space, SourceSpace):
            genome = _program(space, edit, workspace)
        else:
            genome = _genes(space, edit, workspace, said, notes)
        if Candidate(genome).id == Candidate(arena.space.validate(workspace.start)).id:
            raise AgentFailed("it changed nothing that counts")
        candidate = admitted(state, arena, genome)
    except StudyError as error:
        raise AgentFailed(f"its edit cannot be used: {shortened(clean(str(error)), 2000)}") from None
    words = shortened(without_secrets(clean(_text(said.get("rationale")))).strip(), RATIONALE - 100)
    return Idea(
        candidate,
        words or NO_REASON,
        _number(said, "probability", 0.1, 0.0, 1.0, notes),
        _number(said, "effect", 0.0, -_LARGEST, _LARGEST, notes),
        tuple(notes),
    )


def _check_paths(edit: Edit, workspace: Workspace, space: object) -> None:
    """Raise AgentFailed, naming them, for files that are no part of a candidate."""
    own = (workspace.brief_name, workspace.proposal_name)
    if refused := {path: why for path, why in edit.refused.items() if path != workspace.brief_name}:
        first = next(iter(refused))
        raise AgentFailed(f"it left what cannot be taken over: {named(refused)} ({refused[first]})")
    paths = [path for path in edit.files if path not in own]
    if isinstance(space, SourceSpace):
        known = [path for path in paths if path in workspace.files]
        strange = [
            path for path in paths if path not in known and (path in workspace.withheld or not _new(space, path))
        ]
        may = f"only {named(workspace.files)} may change" + (
            f", and files be made in {named([folder or 'any folder' for folder in space.creatable])}"
            if space.creatable
            else ""
        )
    else:
        strange, may = paths, f"only {workspace.proposal_name} counts in this study"
    if strange:
        raise AgentFailed(f"it wrote files that are no part of a candidate: {named(strange)}; {may}")
    gone = [path for path in edit.deleted if isinstance(space, SourceSpace) and path in space.base]
    if gone:
        raise AgentFailed(f"it deleted files of the program: {named(gone)}; they may change, not go")


def _new(space: SourceSpace, path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return admits(space, path)


def _program(space: SourceSpace, edit: Edit, workspace: Workspace) -> Genome:
    own = (workspace.brief_name, workspace.proposal_name)
    kept = {path: text for path, text in workspace.start.items() if path not in edit.deleted}
    return space.validate({**kept, **{path: text for path, text in edit.files.items() if path not in own}})


def _genes(space: object, edit: Edit, workspace: Workspace, said: Mapping[str, Any], notes: list[str]) -> Genome:
    if workspace.proposal_name not in edit.files:
        raise AgentFailed(f"it did not fill in {workspace.proposal_name}")
    if notes:
        raise AgentFailed(f"its {workspace.proposal_name} is {notes[0]}")
    if not isinstance(space, Space):
        raise AgentFailed("this arena's candidates are neither genes nor files")
    return GeneForm(space, workspace.start).genome(said.get("genome"))


def _answer(text: str) -> tuple[dict[str, Any], list[str]]:
    """The object in the filled-in form, and what is wrong with it. One that makes no sense costs the prediction."""
    if len(text) > _ANSWER_BYTES:
        return {}, [f"longer than {_ANSWER_BYTES} characters"]
    problem = ""
    for name in ("rationale", "genome", "probability", "effect"):
        found = find_objects(text, name)
        if found.objects:
            return found.objects[-1], []
        problem = problem or found.problem
    return {}, [f"no JSON object of this form{problem and f': {problem}'}"]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(said: Mapping[str, Any], key: str, default: float, low: float, high: float, notes: list[str]) -> float:
    value = default if said.get(key) is None else said[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        notes.append(f"{key} is no number from {low:g} to {high:g}")
        return default
    return float(value) if math.isfinite(value) else default
