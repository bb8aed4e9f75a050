"""JSON schemas of what commands print with `--json`, made from the types that they print."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from pydantic import TypeAdapter

from novum.adopt.adoption import StudyWritten
from novum.agents.agent_session import AgentRounds
from novum.arenas.sequence.context_cost import ContextCosts
from novum.arenas.sequence.scaling_summary import ScalingSummary
from novum.audit.anchor import Containment
from novum.audit.verify import Verification
from novum.battery.target_outcome import BatteryResult
from novum.cli.printing.json_values import AnchorRoot, ArenaLine, EventLine, PartLine, ReportFile, RequestSent
from novum.core.events.campaign import PreflightRecorded
from novum.lab.replay import Replayed
from novum.ledger.garbage import Garbage
from novum.report.explained import Explanation
from novum.sandbox.gpus.gpu_report import DoctorReport
from novum.views.approval_requests import Waiting
from novum.views.author_leaderboard import Leaderboard
from novum.views.campaign_summary import Finding, Summary
from novum.views.candidate_comparison import Difference
from novum.views.finding_views.recovery_result import Recovery
from novum.views.intervention_rows import Intervention
from novum.views.lineage import Lineage
from novum.views.machine_table import MachineTable
from novum.views.progress import Progress
from novum.views.record_detail import Detail
from novum.views.record_search import FailureGroup, FailureLine


@dataclass(frozen=True, slots=True)
class JsonOutput:
    """What a command prints with `--json`: one value of `type`, or with `lines` one such value on every line."""

    type: Any
    lines: bool = False


OUTPUTS: dict[str, JsonOutput] = {
    "run": JsonOutput(Summary),
    "preflight": JsonOutput(PreflightRecorded),
    "pause": JsonOutput(RequestSent),
    "resume": JsonOutput(RequestSent),
    "stop": JsonOutput(RequestSent),
    "status": JsonOutput(Progress),
    "machines": JsonOutput(MachineTable),
    "findings": JsonOutput(list[Finding]),
    "show": JsonOutput(Detail),
    "report": JsonOutput(ReportFile),
    "failures": JsonOutput(list[FailureLine] | list[FailureGroup]),
    "diff": JsonOutput(Difference),
    "lineage": JsonOutput(Lineage),
    "explain": JsonOutput(Explanation),
    "context": JsonOutput(ContextCosts),
    "scale": JsonOutput(ScalingSummary),
    "battery": JsonOutput(BatteryResult),
    "verify": JsonOutput(Verification),
    "log": JsonOutput(EventLine, lines=True),
    "export": JsonOutput(dict[str, dict[str, int | str]]),
    "anchor": JsonOutput(AnchorRoot | Containment),
    "replay": JsonOutput(Replayed),
    "recover": JsonOutput(Recovery),
    "propose": JsonOutput(RequestSent),
    "approve": JsonOutput(RequestSent),
    "deny": JsonOutput(RequestSent),
    "inbox": JsonOutput(list[Waiting]),
    "authors": JsonOutput(Leaderboard),
    "agent": JsonOutput(AgentRounds),
    "interventions": JsonOutput(list[Intervention]),
    "arenas": JsonOutput(list[ArenaLine]),
    "researchers": JsonOutput(list[PartLine]),
    "executors": JsonOutput(list[PartLine]),
    "gc": JsonOutput(Garbage),
    "adopt": JsonOutput(StudyWritten),
    "doctor": JsonOutput(DoctorReport),
}
"""By command, in the order of `novum --help`."""


@cache
def json_schema(command: str) -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of a command's value. Raises KeyError for a command without `--json`.

    Types are described by their docstrings, fields by the strings under them.
    """
    output = OUTPUTS[command]
    schema = TypeAdapter(output.type).json_schema(mode="serialization")
    notes = _field_notes(output.type)
    for name, definition in [("", schema), *schema.get("$defs", {}).items()]:
        for field, described in definition.get("properties", {}).items():
            if note := notes.get((name or definition.get("title", ""), field)):
                described["description"] = note
    title = f"A line of novum {command} --json" if output.lines else f"novum {command} --json"
    return {**schema, "$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}


def _field_notes(type_: Any) -> dict[tuple[str, str], str]:
    """The strings under the fields of all dataclasses that a type reaches, by class and field."""
    notes: dict[tuple[str, str], str] = {}
    waiting, seen = [type_], set()
    while waiting:
        one = waiting.pop()
        waiting.extend(getattr(one, "__args__", ()))
        if not isinstance(one, type) or not dataclasses.is_dataclass(one) or one in seen:
            continue
        seen.add(one)
        hints = inspect.get_annotations(one, eval_str=True)
        waiting.extend(hints.values())
        body = ast.parse(textwrap.dedent(inspect.getsource(one))).body[0].body  # type: ignore[attr-defined]
        for field, below in pairwise(body):
            if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
                notes[one.__name__, field.target.id] = inspect.cleandoc(below.value.value)  # type: ignore
    return notes
