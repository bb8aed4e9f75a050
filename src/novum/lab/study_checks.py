"""What a study is held to, whether it comes from a file or was built in Python, before anything starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from novum.core.engine.preregistration import largest_loss
from novum.core.model.arena_spec import ArenaSpec, metric_of
from novum.core.model.budget import Budget
from novum.core.model.errors import StudyError
from novum.core.model.metric import RESOURCES
from novum.core.model.study import NAME, NAME_RULE, Study
from novum.text.secret_scan import Secrets


def valid(study: Study, budget: Budget) -> tuple[Study, Budget]:
    """Hold what was built in Python to the rules that study files are held to. Raises StudyError."""
    from pydantic import TypeAdapter, ValidationError

    from novum.ledger.codec import plain

    if not NAME.fullmatch(study.name):
        raise StudyError(f"name: cannot be {study.name[:80]!r}; {NAME_RULE}")
    try:
        TypeAdapter(Study).validate_python(plain(study))
        TypeAdapter(Budget).validate_python(plain(budget))
    except ValidationError as error:
        first = error.errors()[0]
        raise StudyError(f"{'.'.join(map(str, first['loc']))}: {first['msg']} (got {first['input']!r})") from None
    return study, budget


def check_metrics(study: Study, spec: ArenaSpec) -> None:
    """Hold the metrics that a study names beside the arena's own to those that there are. Raises StudyError."""
    further = [metric.name for metric in spec.metrics]
    for name in study.follow_up.metrics:
        if name not in further:
            raise StudyError(f"follow_up.metrics: cannot be {name!r}; choose from {further or 'nothing here'}")
    if study.gate.claim == "mean":
        if largest_loss(study, spec) is None:
            raise StudyError(
                'gate.claim: "mean" needs a bound on losses, and the metric declares no range: state gate.loss_bound '
                'in metric units, or claim the "typical" gain'
            )
        if study.gate.process != "betting":
            raise StudyError('gate.process: a claim of the "mean" is tested by "betting" only')
    for rail in study.gate.guardrails:
        metric = metric_of(spec, rail.metric)
        if metric is None:
            known = ", ".join([*further, *RESOURCES])
            raise StudyError(f"gate.guardrails: there is no metric {rail.metric!r}; choose from {known}")
        if metric.log and rail.margin <= 1.0:
            raise StudyError(
                f"gate.guardrails: {rail.metric!r} is compared by ratio, so its margin is a factor above 1 "
                f"(1.1: ten percent worse), not {rail.margin}"
            )


def check_secrets(study: Study, secrets: Secrets) -> None:
    """A study is the first thing in the record, so it may hold no secret. Raises StudyError."""
    from novum.ledger.codec import plain

    for place, text in _texts(plain(study), ""):
        if secrets.where(text):
            raise StudyError(
                f"{place}: holds what looks like a key or a password, and would be in the record for ever: take it "
                "out, or give it in an environment variable"
            )


def _texts(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Every text within a value with its place; a text that is itself the name of a field is a text too."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield place or "study", str(name)
            yield from _texts(item, f"{place}.{name}" if place else str(name))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item, place)
