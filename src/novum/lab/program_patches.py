"""Findings about programs, brought home: a patch, or a branch of the user's repository; no working file changes."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from novum.core.model.errors import UserError
from novum.lab import wiring
from novum.lab.restore import read_lab
from novum.source.space import SourceSpace
from novum.views.patches import patch_of as _patch


def patch_of(lab: Path, finding: str) -> str:
    """The difference between the study's program and the candidate of a hypothesis. Raises UserError."""
    state = read_lab(lab)
    hypothesis = state.hypotheses.get(finding)
    if hypothesis is None:
        known = ", ".join(one.id for one in state.findings) or "none yet"
        raise UserError(f"there is no hypothesis {finding!r} in {lab}; its findings: {known}")
    space = wiring.arena(state.study).space
    if not isinstance(space, SourceSpace):
        raise UserError(f"{lab} is no study of a program: its candidates are genomes, see `novum show {finding}`")
    return _patch(state, hypothesis.candidate.genome)


def branch_of(text: str, directory: Path, branch: str, finding: str) -> str:
    """Commit a patch to a new branch of the git checkout around `directory`. Raises UserError.

    It is made in a working tree of its own, so that neither files nor index of the checkout change.
    """
    top = Path(_git(directory, "rev-parse", "--show-toplevel"))
    inside = directory.resolve().relative_to(top.resolve()).as_posix()
    with tempfile.TemporaryDirectory(prefix="novum-apply-") as place:
        tree = Path(place) / "tree"
        _git(top, "worktree", "add", "--quiet", "-b", branch, str(tree), "HEAD")
        try:
            _git(tree, "apply", "--index", *([] if inside == "." else [f"--directory={inside}"]), "-", given=text)
            _git(tree, "commit", "--quiet", "-m", f"{finding}: a change that Novum confirmed")
        except UserError:
            _git(top, "worktree", "remove", "--force", str(tree))
            _git(top, "branch", "-D", branch)
            raise
        _git(top, "worktree", "remove", "--force", str(tree))
    return f"committed to the branch {branch} of {top}: git diff HEAD..{branch}"


def _git(directory: Path, *words: str, given: str = "") -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(directory), *words], input=given, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise UserError(f"git cannot be run: {error.strerror}; write a patch instead: novum apply ID -o FILE") from None
    if done.returncode:
        raise UserError(f"git {words[0]} failed in {directory}: {done.stderr.strip()[:500]}")
    return done.stdout.strip()
