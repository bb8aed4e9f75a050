"""One run of an agent: its directory goes into a sandbox, its edit comes out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from importlib import resources

from novum.agents import sandbox_main
from novum.agents.agent_options import search_path
from novum.agents.agent_task import LOG_BYTES, MIB, AgentFailed, AgentRun, AgentTask, Call, Workspace
from novum.agents.heartbeat import Heartbeat
from novum.agents.model_gateway import Gateway
from novum.agents.output_stream import Printed
from novum.agents.parse_edit import ARTEFACT_BYTES, read
from novum.agents.relay import Relay
from novum.agents.token_meter import Scrubber
from novum.core.model.trial import OutcomeKind
from novum.researchers.language.untrusted_text import clean, without_secrets
from novum.sandbox import Bounds, Ended, Job, Tier, run

_FILE_BYTES, _DISK_BYTES, _PROCESSES = 128 * MIB, 512 * MIB, 256
_ADVICE = {
    OutcomeKind.TIMED_OUT: "; --seconds allows more",
    OutcomeKind.OUT_OF_MEMORY: "; --memory allows more",
    OutcomeKind.TAMPERED: ", which no honest program does",
}

Say = Callable[[str], None]


def run_agent(
    task: AgentTask, workspace: Workspace, tier: Tier, gateway: Gateway | None, say: Say, show: Say
) -> AgentRun:
    """Run an agent to its end; `say` is told how it goes, `show` what it prints, line by line.

    Raises SandboxUnavailable, and KeyboardInterrupt when asked.

    The sandbox is entered from the caller's own thread: its end is the sandbox's end.
    """
    printed = Printed(gateway.key if gateway else "", show)
    with Relay(gateway, say) if gateway else nullcontext() as relay, Heartbeat(task.seconds, relay, say), printed:
        ended = run(_job(task, workspace, relay, printed.hear), tier)
    calls = relay.calls if relay else ()
    log = _log(ended.stdout, gateway)
    if ended.kind is not None:
        said = f" {ended.stderr.strip()[-500:]}" if ended.stderr.strip() else ""
        cause = without_secrets(clean(f"{ended.cause}{_ADVICE.get(ended.kind, '')}{said}"))
        return AgentRun(None, cause, log, ended.status, ended.usage.wall_seconds, calls)
    return _read(ended, log, calls)


def _read(ended: Ended, log: str, calls: tuple[Call, ...]) -> AgentRun:
    try:
        edit = read(ended.artefacts[sandbox_main.EDIT])
    except AgentFailed as error:
        return AgentRun(None, str(error), log, ended.status, ended.usage.wall_seconds, calls)
    return AgentRun(edit, "", log, edit.status, ended.usage.wall_seconds, calls)


def _job(task: AgentTask, workspace: Workspace, relay: Relay | None, hear: Callable[[bytes], None]) -> Job:
    files = {
        **workspace.files,
        workspace.brief_name: workspace.brief,
        workspace.proposal_name: workspace.template,
    }
    plan = {
        "command": task.command,
        "brief": workspace.brief_name,
        "files": list(files),
        "socket": str(relay.socket) if relay else "",
    }
    program = resources.files("novum.agents").joinpath("sandbox_main.py").read_bytes()
    return Job(
        argv=("python", sandbox_main.PROGRAM),
        files={
            sandbox_main.PROGRAM: program,
            sandbox_main.PLAN: json.dumps(plan).encode(),
            **{f"{sandbox_main.STUDY}/{path}": text.encode() for path, text in files.items()},
        },
        collect=(sandbox_main.EDIT,),
        max_artefact_bytes=ARTEFACT_BYTES,
        limits=_bounds(task),
        environment=_environment(task, relay),
        readable=(*task.readable, *((relay.socket.parent,) if relay else ())),
        stdin=workspace.brief.encode(),
        log_bytes=LOG_BYTES,
        hear=hear,
    )


def _bounds(task: AgentTask) -> Bounds:
    cores = os.cpu_count() or 1
    return Bounds(
        seconds=task.seconds,
        cpu_seconds=task.seconds * cores,
        memory_bytes=task.memory_bytes,
        processes=_PROCESSES,
        file_bytes=_FILE_BYTES,
        disk_bytes=_DISK_BYTES,
    )


def _environment(task: AgentTask, relay: Relay | None) -> Mapping[str, str]:
    return {
        "USER": "agent",
        "LOGNAME": "agent",
        "PATH": search_path(task.readable),
        **(relay.environment if relay else {}),
        **task.environment,
    }


def _log(text: str, gateway: Gateway | None) -> str:
    """What the agent printed, harmless and of at most LOG_BYTES."""
    text = Scrubber.whole(text, gateway.key if gateway else "")
    data = without_secrets(clean(text)).encode(errors="replace")
    return data.decode() if len(data) <= LOG_BYTES else data[-LOG_BYTES:].decode(errors="ignore")
