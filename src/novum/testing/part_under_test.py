"""What a contract suite is held against, made from what its class names; and failures that say what to do."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from novum.core.model.candidate import Setting
from novum.core.model.errors import StudyError
from novum.core.model.options import configured
from novum.registry import Kind, build, find

UNKNOWN = "no_such_option"


def made(kind: Kind, part: Any, options: Setting) -> Any:
    """A part from a name as in a study, from its class, or the object itself."""
    if part is None:
        pytest.fail(f'say what to hold to the contract: {kind} = "package.module:Class", a class or an object', False)
    if isinstance(part, str):
        return build(kind, part, options)
    return configured(part, options, f"the {kind} {part.__name__}") if inspect.isclass(part) else part


def target(kind: Kind, part: Any) -> Any:
    """The class or function behind a part, None for an object that is made already."""
    if isinstance(part, str):
        return find(kind, part, kind)
    return part if inspect.isclass(part) else None


def name_of(part: Any) -> str:
    """What a part is called in the name of a test."""
    return part if isinstance(part, str) else getattr(part, "__name__", type(part).__name__)


def hold(fact: bool, advice: str) -> None:
    """Fail with words for the author, and without a traceback through this suite, unless `fact`."""
    if not fact:
        pytest.fail(advice, pytrace=False)


def hold_unknown_option_named(kind: Kind, part: Any, options: Setting) -> None:
    """An option that a part does not have is refused, and the message names it."""
    if (behind := target(kind, part)) is None:
        pytest.skip("an object that is made already takes no options")
    words = ""
    try:
        configured(behind, {**options, UNKNOWN: 1}, "it")
    except StudyError as error:
        words = str(error)
    hold(
        UNKNOWN in words,
        f"the {kind} takes an option that it does not know: give it annotated fields (a dataclass), or one parameter "
        "`options` of such a type, and mistakes in studies are named",
    )
