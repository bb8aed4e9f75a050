"""The tasks of a study from one line: names with their options, added up."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache

from novum.arenas.sequence.tasks.registry import make_task
from novum.arenas.sequence.tasks.task import Extrapolates, ReadsFromLastToken, ScoredOnOthers, Task, Varied
from novum.core.model.candidate import Scalar
from novum.core.model.errors import StudyError
from novum.core.model.trial import Role

HINT = "write for example: mqar(keys=8) + parity(length=24)"


@dataclass(frozen=True, slots=True)
class NamedTask:
    """A task and what a study calls it."""

    name: str
    task: Varied


@lru_cache(maxsize=256)
def parse_tasks(line: str) -> tuple[NamedTask, ...]:
    """The tasks of "mqar(keys=8) + parity", in their order. Raises StudyError."""
    try:
        tree = ast.parse(line.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        raise StudyError(f"options.tasks: {line!r} cannot be read: {HINT}") from None
    found = tuple(_named(term, line) for term in _terms(tree))
    names = [one.name for one in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise StudyError(f"options.tasks: {twice!r} stands there twice: give each task once")
    return found


def _terms(tree: ast.expr) -> list[ast.expr]:
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Add):
        return [*_terms(tree.left), *_terms(tree.right)]
    return [tree]


def _named(term: ast.expr, line: str) -> NamedTask:
    given: dict[str, Scalar] = {}
    head = term
    if isinstance(term, ast.Call):
        if term.args:
            raise StudyError(f"options.tasks: options have names in {line!r}: {HINT}")
        head = term.func
        for word in term.keywords:
            if word.arg is None or not isinstance(word.value, ast.Constant):
                raise StudyError(f"options.tasks: {ast.unparse(term)!r} has an option without a plain value: {HINT}")
            given[word.arg] = word.value.value  # type: ignore[assignment]  # checked by the task's own types
    if not isinstance(head, ast.Name):
        raise StudyError(f"options.tasks: {ast.unparse(term)!r} is no task: {HINT}")
    return NamedTask(head.id, make_task(head.id, given))


def trained_on(one: NamedTask, role: Role) -> Task:
    """What a trial of a role learns from; other roles have other parameters of the generator."""
    return one.task.variant(role)


def scored_on(one: NamedTask, role: Role, stretch: int) -> Task:
    """What it is scored on: the same, or what the task holds out, `stretch` times as long.

    Raises StudyError where the task has no other length.
    """
    task = trained_on(one, role)
    if isinstance(task, ScoredOnOthers):
        task = task.held_out()
    if stretch == 1:
        return task
    if not isinstance(task, Extrapolates):
        raise StudyError(f"options.stretch: the task {one.name} has one length only: set stretch = 1")
    return task.longer(stretch)


def decoder_slots(task: Task) -> int:
    """Answers that are decoded from the last token; 0 for tasks that are answered where they are asked."""
    return task.queries if isinstance(task, ReadsFromLastToken) else 0
