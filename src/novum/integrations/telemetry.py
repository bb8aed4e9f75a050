"""OpenTelemetry: sessions as traces, for whoever has named an endpoint to send them to.

Off unless OTEL_EXPORTER_OTLP_ENDPOINT (or its form for traces) is set and the extra `telemetry` is installed. Spans are
made from recorded events and sent by a thread of their own. Whatever goes wrong with them is said once, and the lab
goes on. A trace is one session: below it confirmations and follow-ups, and below these (or the session) trial groups.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from novum.core.events.campaign import CampaignOpened, IncumbentChanged, PreflightRecorded, SessionEnded, SessionStarted
from novum.core.events.event import Event, Record
from novum.core.events.event_ports import Ledger
from novum.core.events.trials import GroupDispatched, TrialFinished
from novum.core.events.verdicts import (
    ConfirmationOpened,
    FindingRecorded,
    FollowUpClosed,
    FollowUpOpened,
    HoldoutAnswered,
    VerdictReached,
)
from novum.core.model.trial_plan import Plan, Purpose
from novum.core.model.verdict import Verdict

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
FLUSH_SECONDS = 2.0
LONGEST = 300
_LOGGERS = ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "opentelemetry.sdk._shared_internal")
_ON_THE_SESSION = (PreflightRecorded, IncumbentChanged, HoldoutAnswered)

Say = Callable[[str], None]


def endpoint() -> str:
    """Where spans are to be sent; empty when nothing or nobody is to receive any."""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or os.environ.get("OTEL_TRACES_EXPORTER") == "none":
        return ""
    return next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), "")


def traced(ledger: Ledger, say: Say | None = None) -> Ledger:
    """`ledger`, with its appended events sent as spans; the very same object when no endpoint is configured."""
    where = endpoint()
    if not where:
        return ledger
    once = _Once(say or _to_standard_error, where)
    try:
        exporter = _exporter(once)
    except ImportError:
        once.say("is not installed: pip install 'novum[telemetry]'")
        return ledger
    except Exception as error:
        once.say(f"cannot be set up ({error})")
        return ledger
    return TracedLedger(ledger, spans_to(exporter, once))


@dataclass(frozen=True)
class TracedLedger:
    """The Ledger port over another ledger."""

    ledger: Ledger
    spans: Spans

    def __post_init__(self) -> None:
        for record in self.ledger.read():
            self.spans.know(record)
            break

    def append(self, events: Iterable[Event], *, durable: bool) -> Sequence[Record]:
        records = self.ledger.append(events, durable=durable)
        self.spans.take(records)
        return records

    def read(self, after: int = 0) -> Iterable[Record]:
        return self.ledger.read(after)


@dataclass
class _Once:
    """Says one thing about the telemetry, and nothing more. The endpoint's host is named, not what else it holds."""

    out: Say
    where: str
    said: bool = False

    def say(self, what: str) -> None:
        """Say it, unless something was said before."""
        if not self.said:
            self.said = True
            self.out(f"novum: telemetry to {urlsplit(self.where).hostname} {what}; the lab goes on without it")

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 the signature is that of a logging filter
        """What the library would log again and again."""
        self.say("does not get through")
        return False


def _to_standard_error(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class _Careful:
    """An exporter that never raises."""

    exporter: Any
    once: _Once

    def export(self, spans: Sequence[Any]) -> Any:
        try:
            return self.exporter.export(spans)
        except Exception as error:
            self.once.say(f"does not get through ({type(error).__name__})")
            return None

    def shutdown(self) -> None:
        self.exporter.shutdown()

    def force_flush(self, timeout_millis: int = 0) -> bool:
        return bool(self.exporter.force_flush(timeout_millis))


def _exporter(once: _Once) -> Any:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    for name in _LOGGERS:
        logging.getLogger(name).addFilter(once)
    return OTLPSpanExporter()


def spans_to(exporter: Any, once: _Once) -> Spans:
    """Spans that go to an exporter of OpenTelemetry, by a provider of their own: a global one is left alone."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "novum"}
    provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(_Careful(exporter, once)))
    spans = Spans(provider, once)
    atexit.register(spans.close)
    return spans


@dataclass
class _Open:
    """A span that has begun, and what has come in of it."""

    span: Any
    plan: Plan | None = None
    trials: int = 0
    scored: int = 0
    cpu_seconds: float = 0.0
    cause: str = ""


@dataclass
class Spans:
    """Builds the spans of one session after another from their events."""

    provider: Any
    once: _Once
    campaign: dict[str, Any] = field(default_factory=dict)
    _open: dict[str, _Open] = field(default_factory=dict)
    _dead: bool = False

    def know(self, record: Record) -> None:
        """Learn which campaign it is from its first event."""
        if isinstance(record.event, CampaignOpened):
            study = record.event.study
            self.campaign = {"study": study.name, "arena": study.arena, "seed": study.seed, "campaign": record.hash}

    def take(self, records: Iterable[Record]) -> None:
        """Events as they are recorded. Never raises, and never waits but for the last spans of a session."""
        if self._dead:
            return
        try:
            for record in records:
                self._take(record)
        except Exception as error:
            self._dead = True
            self.once.say(f"failed ({type(error).__name__}: {error})")

    def _take(self, record: Record) -> None:
        event, time = record.event, record.time * 1000
        if isinstance(event, CampaignOpened):
            self.know(record)
        elif isinstance(event, SessionStarted):
            self._begin("session", f"campaign {self.campaign.get('study', '')}", time, self._session(event))
        elif isinstance(event, GroupDispatched):
            self._dispatched(event.plan, time)
        elif isinstance(event, TrialFinished):
            self._finished(event, time)
        elif isinstance(event, ConfirmationOpened | FollowUpOpened):
            self._asked(event, time)
        elif isinstance(event, VerdictReached | FollowUpClosed):
            self._answered(event, time)
        elif isinstance(event, FindingRecorded):
            self._end(_question(event.hypothesis), time, {"effect": event.effect, "fresh_pairs": event.pairs})
        elif isinstance(event, SessionEnded):
            self._close(time, event.reason)
        elif isinstance(event, _ON_THE_SESSION) and "session" in self._open:
            self._open["session"].span.add_event(record.kind, _plain(event), time)

    def _session(self, event: SessionStarted) -> dict[str, Any]:
        return {**self.campaign, "session": event.session, "workers": event.workers}

    def _dispatched(self, plan: Plan, time: int) -> None:
        above = _question(plan.subject, plan.attempt if plan.purpose is Purpose.FOLLOW_UP else 0)
        genes = {f"gene.{name}": value for name, value in plan.candidate.genome.items()}
        known = {"group": plan.id, "purpose": str(plan.purpose), "subject": plan.subject, "side": str(plan.side)}
        self._begin(plan.id, f"trials {plan.purpose}", time, {**known, "trials": len(plan.members), **genes}, above)
        self._open[plan.id].plan = plan

    def _finished(self, event: TrialFinished, time: int) -> None:
        group = self._open.get(event.group)
        if group is None or group.plan is None:
            return
        group.trials += 1
        group.scored += event.score is not None
        group.cpu_seconds += event.cpu_seconds
        group.cause = group.cause or (f"{event.kind}: {event.cause}" if event.score is None else "")
        if group.trials == len(group.plan.members):
            if not group.scored:
                self._fail(group.span, group.cause)
            found = {"scored": group.scored, "cpu_seconds": group.cpu_seconds, "peak_bytes": event.peak_bytes}
            self._end(event.group, time, {**found, "cause": group.cause})

    def _asked(self, event: ConfirmationOpened | FollowUpOpened, time: int) -> None:
        if isinstance(event, ConfirmationOpened):
            rule, key, name = event, _question(event.hypothesis), f"confirm {event.hypothesis}"
        else:
            rule, key = event.rule, _question(event.hypothesis, event.rule.attempt)
            name = f"{event.aim} {event.hypothesis} {event.about}".strip()
        known = {"hypothesis": event.hypothesis, "attempt": rule.attempt, "threshold": rule.threshold}
        self._begin(key, name, time, known)

    def _answered(self, event: VerdictReached | FollowUpClosed, time: int) -> None:
        claim = isinstance(event, VerdictReached)
        key = _question(event.hypothesis, 0 if claim else event.attempt)
        said = {
            "verdict": str(event.verdict),
            "reason": event.reason,
            "pairs": event.pairs,
            "e_value": event.e_value,
            "threshold": event.threshold,
        }
        for name in (key, "session"):
            if name in self._open:
                self._open[name].span.add_event("verdict", _named({"hypothesis": event.hypothesis, **said}), time)
        if not (claim and event.verdict is Verdict.SUPPORTED):  # a finding goes on until its size is known
            self._end(key, time, said)

    def _begin(self, key: str, name: str, time: int, known: dict[str, Any], above: str = "") -> None:
        from opentelemetry.trace import set_span_in_context

        parent = self._open.get(above) or self._open.get("session")
        context = set_span_in_context(parent.span) if parent else None
        tracer = self.provider.get_tracer("novum")
        span = tracer.start_span(_text(name), context=context, attributes=_named(known), start_time=time)
        self._open[key] = _Open(span)

    def _end(self, key: str, time: int | None, known: dict[str, Any]) -> None:
        ended = self._open.pop(key, None)
        if ended:
            ended.span.set_attributes(_named(known))
            ended.span.end(end_time=time)

    def _fail(self, span: Any, cause: str) -> None:
        from opentelemetry.trace import Status, StatusCode

        span.set_status(Status(StatusCode.ERROR, _text(cause)))

    def flush(self) -> None:
        """Send what waits, but wait for it no longer than FLUSH_SECONDS; what is left is sent later, or lost."""
        sender = threading.Thread(target=self.provider.force_flush, name="novum-telemetry", daemon=True)
        sender.start()
        sender.join(FLUSH_SECONDS)
        if sender.is_alive():
            self.once.say("does not get through")

    def close(self) -> None:
        """End what is open, for a process that goes without an end of its session."""
        if self._open and not self._dead:
            self._close(None, "the process ended")

    def _close(self, time: int | None, reason: str) -> None:
        for key in [key for key in self._open if key != "session"]:
            self._end(key, time, {"unfinished": True})
        self._end("session", time, {"reason": reason})
        self.flush()


def _question(hypothesis: str, number: int = 0) -> str:
    """The key of a confirmation, or of a follow-up by its number."""
    return f"{hypothesis}/{number}"


def _plain(event: Event) -> dict[str, Any]:
    """The scalar fields of an event."""
    names = getattr(type(event), "__dataclass_fields__", {})
    return _named({name: getattr(event, name) for name in names})


def _named(values: dict[str, Any]) -> dict[str, Any]:
    """Attributes under names of their own; what is no scalar is left out."""
    return {
        f"novum.{name}": _text(value) if isinstance(value, str) else value
        for name, value in values.items()
        if isinstance(value, str | int | float) and value != ""
    }


def _text(text: str) -> str:
    """Text that fits into a span."""
    return text.encode("utf-8", "replace").decode()[:LONGEST]
