"""`novum propose | pause | resume | stop | approve | deny`: requests to a lab, kept in its record."""

from __future__ import annotations

import getpass
import os
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from novum.cli.command_groups import PEOPLE, RUN
from novum.cli.printing.json_values import RequestSent
from novum.cli.printing.output import JsonOption, LabOption, as_json, find_lab
from novum.core.model.budget import LARGEST
from novum.core.model.errors import UserError

STOP_SECONDS = 5.0

AuthorOption = Annotated[str | None, typer.Option("--as", help="Who asks. Default: your user name.")]
ReasonOption = Annotated[str, typer.Option("--reason", "-m", help="Why; it is kept in the record.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(rich_help_panel=PEOPLE)(propose)
    app.command(rich_help_panel=RUN)(pause)
    app.command(rich_help_panel=RUN)(resume)
    app.command(rich_help_panel=RUN)(stop)
    app.command(rich_help_panel=PEOPLE)(approve)
    app.command(rich_help_panel=PEOPLE)(deny)


def propose(
    change: Annotated[
        list[str],
        typer.Argument(metavar="CHANGE...", help="gene=value, or file=PATH for the new text of a program's file."),
    ],
    lab: LabOption = None,
    rationale: Annotated[str, typer.Option("-m", "--rationale", help="Why it should be better.")] = "",
    probability: Annotated[float, typer.Option(help="That it will be supported; it is scored later.")] = 0.1,
    effect: Annotated[float, typer.Option(help="The gain that you expect, in metric units.")] = 0.0,
    author: AuthorOption = None,
    json: JsonOption = False,
) -> None:
    """Propose a candidate: the incumbent with these changes. It is tried like anybody's, and judged like anybody's."""
    from novum.lab.restore import read_lab
    from novum.lab.wiring import arena

    directory = find_lab(lab)
    _check_forecast(probability, effect)
    state = read_lab(directory)
    space = arena(state.study).space
    genome = dict(state.incumbent.candidate.genome)
    for text in change:
        name, _, value = text.partition("=")
        genome[name] = _value(name, value, state.study.arena == "program")
    space.validate(genome)  # what is wrong with it is better said here than in a record
    body = {"genome": genome, "rationale": rationale, "probability": probability, "effect": effect}
    _send(directory, "propose", author, body, json=json)


def _check_forecast(probability: float, effect: float) -> None:
    """Raises UserError for what is no probability, or no size."""
    if not 0.0 <= probability <= 1.0:
        raise UserError(f"--probability {probability:g}: must lie between 0 and 1")
    if not abs(effect) < LARGEST:
        raise UserError(f"--effect {effect:g}: must be a number of ordinary size, in metric units")


def pause(
    lab: LabOption = None, reason: ReasonOption = "", author: AuthorOption = None, json: JsonOption = False
) -> None:
    """Start nothing new; what runs is finished. `novum resume` goes on."""
    _send(_find_campaign(lab), "pause", author, {"reason": reason}, json=json)


def resume(
    lab: LabOption = None, reason: ReasonOption = "", author: AuthorOption = None, json: JsonOption = False
) -> None:
    """Go on after a pause."""
    _send(_find_campaign(lab), "resume", author, {"reason": reason}, json=json)


def stop(
    lab: LabOption = None, reason: ReasonOption = "", author: AuthorOption = None, json: JsonOption = False
) -> None:
    """End a running session within a second, its trials in flight included; the next `novum run` goes on from there."""
    from novum.ledger.journal import is_held

    directory = _find_campaign(lab)
    if not is_held(directory):
        raise UserError(f"no session runs in {directory}: there is nothing to stop")
    began = time.monotonic()
    _send(directory, "stop", author, {"reason": reason}, json=json)
    while is_held(directory) and time.monotonic() - began < STOP_SECONDS:
        time.sleep(0.02)
    if is_held(directory):
        raise UserError(f"the session in {directory} has not ended yet; its process is named in {directory}/lab.lock")
    if not json:
        print(f"stopped after {time.monotonic() - began:.1f} s; what was finished is kept")


ApprovalArgument = Annotated[str, typer.Argument(metavar="ID", help="See `novum inbox`.")]


def approve(
    approval: ApprovalArgument, lab: LabOption = None, reason: ReasonOption = "", author: AuthorOption = None,
    json: JsonOption = False,
) -> None:  # fmt: skip
    """Say yes to exactly what the inbox shows now. Nobody approves what they proposed."""
    _answer("approve", approval, lab, reason, author, json=json)


def deny(
    approval: ApprovalArgument, lab: LabOption = None, reason: ReasonOption = "", author: AuthorOption = None,
    json: JsonOption = False,
) -> None:  # fmt: skip
    """Say no. One no is enough."""
    _answer("deny", approval, lab, reason, author, json=json)


def _answer(act: str, approval: str, lab: Path | None, reason: str, author: str | None, *, json: bool) -> None:
    from novum.core.model.request import Act
    from novum.core.state.approvals import objection
    from novum.lab.restore import read_lab

    directory = find_lab(lab)
    approvals = read_lab(directory).request_log.approvals
    content = approvals[approval].asked.content if approval in approvals else ""
    if why := objection(approvals, approval, author or user(), content, Act(act)):
        raise UserError(why)
    _send(directory, act, author, {"approval": approval, "content": content, "reason": reason}, json=json)


def _find_campaign(lab: Path | None) -> Path:
    """The lab to ask. Raises UserError where there is none: then nothing is written there either."""
    from novum.ledger.journal import Reader

    directory = find_lab(lab)
    with Reader(directory) as reader, closing(reader.rows()) as rows:
        if next(rows, None) is None:
            raise UserError(f"the lab {directory} is empty: no campaign was opened in it")
    return directory


def _send(directory: Path, act: str, author: str | None, body: dict[str, Any], *, json: bool) -> None:
    from novum.core.model.request import Act
    from novum.governance.mailbox import Mailbox

    request = Mailbox(directory).send(Act(act), author or user(), body)
    print(as_json(RequestSent(request)) if json else f"request {request}: {act}; see `novum log --lab {directory}`")


def user() -> str:
    """Who gives a command here."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"uid{os.getuid()}"


def _value(name: str, value: str, program: bool) -> str | int | float | bool:
    if program:
        try:
            return Path(value).read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(
                f"{name}: cannot read {value!r} ({error}); give {name}=PATH of a file with the text"
            ) from None
    if value in ("true", "false"):
        return value == "true"
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value
