"""From a view of the study to a request, and from an answer that cannot be used to the one repair of it."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from novum.core.model.study_view import StudyView
from novum.researchers.language.language_options import LanguageOptions, Model
from novum.researchers.language.model_request import Message, Request
from novum.researchers.language.prompt import brief, repair
from novum.researchers.language.reply_forms import BlocksForm, Form, form_of, schema
from novum.researchers.language.untrusted_text import harmless, shortened

CHARACTERS = {True: 3000, False: 24_000}
"""Of a prompt, for small models and others."""

QUOTED = 4000
"""Characters of an answer that are shown to its model again."""


def compose(
    view: StudyView,
    model: Model,
    options: LanguageOptions,
    seed: int,
    again: int = 0,
    proposed: Set[str] = frozenset(),
) -> Request:
    """The request of a view. proposed: ids of candidates that were proposed before, whatever came of them.

    Raises StudyError.
    """
    known = view.known | proposed if model.small else proposed
    form = form_of(view.space, view.incumbent, options.edit, small=model.small, known=known)
    told = brief(view, form, options.brief or CHARACTERS[model.small], small=model.small)
    return Request(
        model=model,
        messages=(Message("system", told.system), Message("user", told.user)),
        schema=schema(form, small=model.small),
        settings=_settings(form, model, options, seed),
        base=form.base,
        again=again,
    )


def repaired(request: Request, answer: str, error: str) -> Request:
    """The request that shows a model its own answer and what is wrong with it."""
    quoted = shortened(harmless(answer), QUOTED)
    more = (Message("assistant", quoted), Message("user", repair(error)))
    return Request(
        model=request.model,
        messages=(*request.messages, *more),
        schema=request.schema,
        settings=request.settings,
        base=request.base,
        again=request.again,
        repairs=True,
    )


def _settings(form: Form, model: Model, options: LanguageOptions, seed: int) -> dict[str, Any]:
    """What is asked for besides words. The seed makes the local model repeatable; hosted ones do not keep it."""
    tokens = 300 if model.small else 8000 if isinstance(form, BlocksForm) else 2000
    settings: dict[str, Any] = {"max_tokens": options.max_tokens or tokens}
    if options.temperature is not None or model.small:
        settings["temperature"] = 0.8 if options.temperature is None else options.temperature
    if model.small:
        settings["seed"] = seed
    return settings
