"""`novum agent`: any program that edits files, in the sandbox, as a researcher of a lab."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from novum.cli.command_groups import PEOPLE
from novum.cli.printing.output import JsonOption, LabOption, as_json, find_lab, line, safe
from novum.core.model.errors import UserError

if TYPE_CHECKING:
    from novum.agents.agent_session import AgentSession, Round
    from novum.agents.model_gateway import Gateway

INTERRUPTED = 130
LINES = 20
"""Of an agent's log, shown when it failed and was not shown before."""


CommandArgument = Annotated[
    list[str],
    typer.Argument(metavar="-- COMMAND", help="The agent and its arguments; {brief} becomes the path of the brief."),
]
NameOption = Annotated[str | None, typer.Option("--as", help="Sign as agent:NAME. Default: the command's name.")]
RoundsOption = Annotated[int, typer.Option(min=1, max=10_000, help="How often to run it, each on a fresh brief.")]
NoWaitOption = Annotated[bool, typer.Option("--no-wait", help="Do not wait between rounds for what came of it.")]
FollowOption = Annotated[bool, typer.Option("--follow", help="Wait for what becomes of the last proposal too.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show the edit as a diff, and propose nothing.")]
SecondsOption = Annotated[float, typer.Option(min=0.1, max=1e6, help="Wall time of one run.")]
MemoryOption = Annotated[int, typer.Option(min=32, max=1 << 24, metavar="MIB", help="Of all its processes.")]
ReadableOption = Annotated[
    list[Path] | None, typer.Option(metavar="DIR", help="Show it DIR, read-only: where the tool is installed.")
]
EnvOption = Annotated[
    list[str] | None, typer.Option(metavar="NAME=VALUE", help="A variable that it finds; never a secret.")
]
GatewayOption = Annotated[
    str | None, typer.Option(metavar="URL", help="The model that it may reach, such as https://api.anthropic.com.")
]
KeyOption = Annotated[
    str | None, typer.Option(metavar="VARIABLE", help="Holds the model's key, which stays outside the sandbox.")
]
HeaderOption = Annotated[
    str | None, typer.Option(metavar="HEADER", help="Default: 'authorization: Bearer'; x-api-key for Anthropic.")
]
RequestsOption = Annotated[int, typer.Option(min=1, max=1_000_000, help="To the model, in one run.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Do not show what it prints while it runs.")]
PathOption = Annotated[
    list[str] | None, typer.Option(metavar="PATH", help="A further path at the gateway that it may use.")
]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(rich_help_panel=PEOPLE)(agent)


def agent(
    command: CommandArgument,
    lab: LabOption = None,
    name: NameOption = None,
    rounds: RoundsOption = 1,
    no_wait: NoWaitOption = False,
    follow: FollowOption = False,
    dry_run: DryRunOption = False,
    seconds: SecondsOption = 600.0,
    memory: MemoryOption = 4096,
    readable: ReadableOption = None,
    env: EnvOption = None,
    gateway: GatewayOption = None,
    key_from: KeyOption = None,
    key_header: HeaderOption = None,
    max_requests: RequestsOption = 200,
    allow_path: PathOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Run a coding agent, or any program, in the sandbox on a brief of the lab; its edit is a proposal: docs/agents.md.

    Exit status 0 when a proposal was sent, 1 when the agent brought none.
    """
    from novum.agents.agent_options import author_of, environment_of, readable_of
    from novum.agents.agent_session import AgentRounds, AgentSession
    from novum.agents.agent_task import MIB, AgentTask

    if dry_run and (rounds > 1 or follow):
        raise UserError("--dry-run proposes nothing: leave out --rounds and --follow")
    directory, words = find_lab(lab), tuple(command)
    task = AgentTask(words, seconds, memory * MIB, readable_of(readable or (), directory), environment_of(env or ()))
    way = _gateway(gateway, key_from, key_header, max_requests, allow_path or [])
    session = AgentSession(directory, task, author_of(name, words), way, _say, _nothing if quiet else _echo)
    done = _all(session, rounds, wait=not no_wait, follow=follow, send=not dry_run, shown=not quiet, quiet=json)
    if json:
        print(as_json(AgentRounds(tuple(done))))
    if all(one.failure for one in done):
        from novum.agents.agent_task import AgentFailed

        raise AgentFailed(done[0].failure if rounds == 1 else f"none of {rounds} rounds brought a proposal")


def _gateway(
    url: str | None, key_from: str | None, key_header: str | None, most: int, paths: list[str]
) -> Gateway | None:
    if url is None:
        if key_from or key_header or paths:
            raise UserError("--key-from, --key-header and --allow-path say how to reach a model: add --gateway URL")
        return None
    from novum.agents.model_gateway import gateway_of

    return gateway_of(url, key_from, key_header, most, tuple(paths))


def _all(
    session: AgentSession, rounds: int, *, wait: bool, follow: bool, send: bool, shown: bool, quiet: bool
) -> list[Round]:
    """Every round; an interrupt says what it leaves behind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that what was opened is closed
    done: list[Round] = []
    waits = False
    try:
        for number in range(1, rounds + 1):
            waits = False
            done.append(session.round(number, send=send))
            _show(done[-1], send=send, shown=shown, quiet=quiet, many=rounds > 1)
            last = number == rounds
            if done[-1].request and (follow if last else wait):
                waits = True
                done[-1] = session.wait(done[-1])
                _show_fate(done[-1], quiet=quiet)
    except KeyboardInterrupt:
        left = "what was proposed stays with the lab" if waits else "the agent was ended and nothing of it is proposed"
        print(f"novum: interrupted: {left}", file=sys.stderr)
        sys.exit(INTERRUPTED)
    return done


def _show(one: Round, *, send: bool, shown: bool, quiet: bool, many: bool) -> None:
    for note in one.notes:
        _say(note)
    if one.failure:
        lines = one.log.rstrip().splitlines()[-LINES:]
        if not lines or not shown:
            _say("the end of what it printed:" if lines else "it printed nothing")
            for text in lines:
                _echo(text)
        if many:
            _say(f"round {one.number}: {one.failure}")
    elif not quiet and send:
        print(f"request {one.request}: {one.author} proposes {one.change} (probability {one.probability:g})")
    elif not quiet:
        print(one.difference)
        _say(f"{one.change}; nothing was proposed")


def _show_fate(one: Round, *, quiet: bool) -> None:
    fate = one.fate
    known = [fate.hypothesis, fate.outcome or fate.stage, line(fate.words)] if fate else []
    said = "; ".join(part for part in (" ".join(filter(None, known)), one.waited) if part)
    if not quiet:
        print(f"request {one.request}: {said}")


def _echo(text: str) -> None:
    """A line of what the agent printed."""
    _say(f"  | {text}")


def _nothing(text: str) -> None:
    """Do not show it: the record has it."""


def _say(text: str) -> None:
    """Progress, on standard error: standard output is for what came of it."""
    print(f"agent: {safe(text)}", file=sys.stderr, flush=True)
