from __future__ import annotations

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from labs import Flaky, coin_study, failing, in_memory

from novum.arenas.coinflip import run as flip
from novum.core.events.campaign import SessionEnded
from novum.core.events.trials import GroupDispatched, TrialFinished
from novum.core.events.verdicts import FollowUpClosed, VerdictReached
from novum.core.model.budget import Budget
from novum.core.model.trial import OutcomeKind
from novum.integrations import telemetry
from novum.testing.memory_ledger import MemoryLedger

BUDGET = Budget(trials=600)


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch):
    for name in (*telemetry.ENDPOINTS, "OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def memory():
    exporter = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    return exporter.InMemorySpanExporter()


def run(ledger):
    """Run a small lab over a ledger, in one session from its beginning; its events."""
    lab = in_memory(coin_study(), BUDGET, ledger=ledger)
    lab.run()
    return [record.event for record in ledger.read()]


def over(exporter, said):
    ledger = MemoryLedger()
    once = telemetry._Once(said.append, "http://somebody:secret@localhost:4318")
    return telemetry.TracedLedger(ledger, telemetry.spans_to(exporter, once))


def named(span, name):
    return span.attributes.get(f"novum.{name}")


def test_without_an_endpoint_the_ledger_is_left_alone(monkeypatch):
    ledger = MemoryLedger()
    assert telemetry.traced(ledger) is ledger
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert telemetry.traced(ledger) is ledger


def test_every_group_and_every_question_is_a_span_of_the_session(memory):
    said = []
    ledger = over(memory, said)
    events = run(ledger)
    spans = memory.get_finished_spans()
    (session,) = [span for span in spans if span.parent is None]
    assert session.name == "campaign coins"
    assert named(session, "reason") == next(e.reason for e in events if isinstance(e, SessionEnded))
    groups = {named(span, "group"): span for span in spans if named(span, "group")}
    plans = {e.plan.id: e.plan for e in events if isinstance(e, GroupDispatched)}
    assert set(groups) == set(plans)
    by_id = {span.context.span_id: span for span in spans}
    times = {r.event.trial: r.time for r in ledger.read() if isinstance(r.event, TrialFinished)}
    for name, span in groups.items():
        plan = plans[name]
        above = by_id[span.parent.span_id]
        assert (above is session) == (plan.purpose in ("screen", "calibrate"))
        if above is not session:
            assert named(above, "hypothesis") == plan.subject
        assert span.end_time == 1000 * max(time for trial, time in times.items() if trial.partition(".")[0] == name)
        assert above.start_time <= span.start_time <= span.end_time <= above.end_time
    asked = [e for e in events if isinstance(e, VerdictReached | FollowUpClosed)]
    told = [event for span in spans if span is not session for event in span.events if event.name == "verdict"]
    assert len(told) == len(asked) > 5
    assert {span.context.trace_id for span in spans} == {session.context.trace_id}
    assert not said


def test_failed_trials_are_errors_with_their_cause(memory):
    ledger = over(memory, [])
    flaky = Flaky(lambda g: failing(g, OutcomeKind.CRASHED, "boom\x00" * 200) if g.id == "g9" else flip(g))
    lab = in_memory(coin_study(), BUDGET, ledger=ledger, executor=flaky)
    lab.run()
    (span,) = [one for one in memory.get_finished_spans() if named(one, "group") == "g9"]
    assert span.status.status_code.name == "ERROR"
    assert span.status.description.startswith("crashed: boom")
    assert len(span.status.description) <= telemetry.LONGEST


class Broken:
    """An exporter that fails in its own way."""

    def __init__(self, error):
        self.error = error

    def export(self, spans):
        raise self.error

    def shutdown(self):
        pass

    def force_flush(self, timeout_millis=0):
        return True


def test_a_broken_exporter_is_said_once_without_the_password_and_changes_nothing():
    pytest.importorskip("opentelemetry.sdk")
    said = []
    events = run(over(Broken(RuntimeError("no")), said))
    assert len(events) == len(run(MemoryLedger()))
    assert len(said) == 1
    assert "localhost" in said[0]
    assert "secret" not in said[0]


def test_spans_that_cannot_be_built_are_said_once_and_the_lab_goes_on():
    class Nothing:
        def get_tracer(self, name):
            raise RuntimeError("broken")

    said = []
    spans = telemetry.Spans(Nothing(), telemetry._Once(said.append, "http://localhost"))
    assert len(run(telemetry.TracedLedger(MemoryLedger(), spans))) > 500
    assert len(said) == 1


def test_a_collector_on_the_loopback_receives_the_spans(monkeypatch):
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    received = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        said = []
        ledger = telemetry.traced(MemoryLedger(), said.append)
        assert isinstance(ledger, telemetry.TracedLedger)
        run(ledger)
        server.shutdown()
    assert not said
    assert {path for path, _ in received} == {"/v1/traces"}
    body = b"".join(data for _, data in received)
    assert b"campaign coins" in body
    assert b"novum.verdict" in body


def test_a_collector_that_never_answers_costs_a_session_two_seconds_at_most(monkeypatch):
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(16)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        monkeypatch.setattr(telemetry, "FLUSH_SECONDS", 0.3)
        said = []
        started = time.monotonic()
        run(telemetry.traced(MemoryLedger(), said.append))
        assert time.monotonic() - started < 10
    assert len(said) == 1


def test_a_later_session_knows_its_campaign(memory):
    inner = MemoryLedger()
    run(inner)
    once = telemetry._Once(lambda _: None, "")
    lab = in_memory(
        coin_study(), Budget(trials=650), ledger=telemetry.TracedLedger(inner, telemetry.spans_to(memory, once))
    )
    lab.run()
    (session,) = [span for span in memory.get_finished_spans() if span.parent is None]
    assert (named(session, "study"), named(session, "session")) == ("coins", 2)
    assert named(session, "campaign") == next(iter(inner.read())).hash
