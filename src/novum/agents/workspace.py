"""What an agent is given: BRIEF.md, the files of the program that may change, and a proposal.json to fill in."""

from __future__ import annotations

import json
from collections.abc import Collection

from novum.agents.agent_task import Workspace
from novum.core.model.errors import StudyError, UserError
from novum.core.model.study_view import StudyView
from novum.researchers.language import templates
from novum.researchers.language.build_request import CHARACTERS
from novum.researchers.language.prompt import brief
from novum.researchers.language.reply_forms import form_of
from novum.researchers.language.untrusted_text import harmless, line, without_secrets
from novum.source.space import SourceSpace

BRIEF, PROPOSAL = "BRIEF.md", "proposal.json"
_TASK = "\n\n" + templates.TASK.partition("{")[0]  # where the words for models that answer with text begin

_INTRODUCTION = """\
# Brief

"""
_PROGRAM = """
# What to do

Your working directory holds {files}. Change {them} so that the program does better on the
metric, and leave the result there. The difference to what you found is your proposal; nothing else of you is kept.

- {may}
- Put experiments and notes of your own into the directory $TMPDIR, not here: further files here spoil the proposal.
- A file that you do not change stays as it is. Change something that matters: comments and layout count for nothing.
"""
_GENES = """
# What to do

Write the candidate that you propose into `{proposal}`, under `genome`: for each gene one of its choices, as listed
above. It holds the incumbent now; genes that you leave out keep the incumbent's value. Change few genes at a time. Put
notes of your own into the directory $TMPDIR, not here: further files here spoil the proposal.
"""
_PREDICTION = """
Then {fill} `{proposal}` (one JSON object):

- `rationale`: why it should be better, from the evidence above, in a few sentences.
- `probability`: from 0 to 1, that the laboratory will confirm it. It is scored: an honest 0.1 is better than a hopeful
  0.9.
- `effect`: the gain in {metric} that you expect.

There is no network here{gateway}. You need not ask anybody anything: when you are done, end.
"""
_GATEWAY = " but the model's address, which your environment names"


def make_workspace(view: StudyView, *, gateway: bool = False) -> Workspace:
    """What an agent is given for a view. gateway: whether it can reach a model. Raises StudyError, UserError."""
    form = form_of(view.space, view.incumbent, "auto", small=False)
    told = brief(view, form, CHARACTERS[False], small=False)
    facts = f"{_INTRODUCTION}{told.system}\n\n{told.user.rpartition(_TASK)[0]}\n"
    answer = {"rationale": "", "probability": 0.1, "effect": 0.0}
    more = {"metric": line(view.spec.metric, 80), "gateway": _GATEWAY if gateway else ""}
    if not isinstance(view.space, SourceSpace):
        words = _GENES.format(proposal=PROPOSAL) + _PREDICTION.format(
            fill="fill in the rest of", proposal=PROPOSAL, **more
        )
        template = _json({"genome": dict(view.incumbent), **answer})
        return Workspace(without_secrets(facts + words), BRIEF, template, PROPOSAL, view.incumbent)
    files, withheld = _files(view.space, view)
    brief_name, proposal = _free(BRIEF, files, withheld), _free(PROPOSAL, files, withheld)
    words = _program(view.space, files) + _PREDICTION.format(fill="fill in", proposal=proposal, **more)
    text = without_secrets(facts + words)
    return Workspace(text, brief_name, _json(answer), proposal, view.incumbent, files, withheld)


def _json(value: dict[str, object]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _files(space: SourceSpace, view: StudyView) -> tuple[dict[str, str], tuple[str, ...]]:
    """The files that may change, and the names of those that are not shown since a secret seems to be in them."""
    files = space.complete(view.incumbent)
    withheld = tuple(path for path, text in files.items() if without_secrets(text) != text)
    if len(withheld) == len(files):
        raise UserError(
            f"{', '.join(withheld)}: what looks like a key or a password is in every file that may change, and secrets "
            "never enter sandboxes: take it out of the program"
        )
    return {path: text for path, text in files.items() if path not in withheld}, withheld


def _free(name: str, *taken: Collection[str]) -> str:
    """A name that no file of the program has, nor a folder of it."""
    used = {path.partition("/")[0].casefold() for paths in taken for path in paths}
    while name.casefold() in used:
        name = f"novum-{name}"
    return name


def _program(space: SourceSpace, files: Collection[str]) -> str:
    names = ", ".join(f"`{harmless(line(path, 200))}`" for path in files)
    where = [f"`{folder}/`" if folder else "any folder" for folder in space.creatable]
    may = f"New files may be made in {', '.join(where)}; none may be deleted." if where else (
        "Files may be neither added nor deleted."
    )  # fmt: skip
    return _PROGRAM.format(files=names, them="it" if len(files) == 1 else "them", may=may)


def admits(space: SourceSpace, path: str) -> bool:
    """Whether a candidate may have a file of this name."""
    try:
        space.validate({path: ""})
    except StudyError:
        return path in space.base
    return True
