"""What all commands share: the lab they read, JSON on standard output, and text that cannot move the cursor."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from novum.core.model.errors import UserError
from novum.text.clean import exact, for_terminal

if TYPE_CHECKING:
    from novum.core.state.campaign_state import CampaignState
    from novum.core.state.full_state import FullState

LABS = Path("labs")

LabOption = Annotated[
    Path | None, typer.Option("--lab", help="The lab directory. Default: $NOVUM_LAB, else the latest one in ./labs.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON value on standard output, for machines.")]


def find_lab(lab: Path | None) -> Path:
    """The lab to read. Raises UserError when there is none."""
    if lab is not None:
        return lab
    if named := os.environ.get("NOVUM_LAB"):
        return Path(named)
    databases = sorted(LABS.glob("*/lab.db"), key=lambda path: path.stat().st_mtime)
    if not databases:
        raise UserError("no lab here: start one with `novum run recall`, or give --lab DIR")
    return databases[-1].parent


def check_file(path: Path) -> None:
    """Hold the path of a file to be written to what it must be. Raises UserError."""
    if not path.name or os.path.isdir(path):  # noqa: PTH112 it takes any name, however long
        raise UserError(f"--output {str(path)!r}: this is a directory; give the name of a file")


def read_state(lab: Path) -> CampaignState:
    """The state of a lab on disk. Raises UserError when there is no campaign in it."""
    from novum.lab.restore import read_lab

    return read_lab(lab)


def read_archive(lab: Path) -> FullState:
    """The state of a lab with all its trials by name. Raises UserError when there is no campaign in it."""
    from novum.api import read_archive as read

    return read(lab)


def id_argument(metavar: str, meaning: str) -> Any:
    """An argument that names a hypothesis, a trial or a candidate, however it is capitalised."""
    return typer.Argument(metavar=metavar, help=meaning, callback=as_named)


def as_named(text: str | None) -> str | None:
    """What somebody typed, as the record has it: H7 is h7, G3.1 is g3.1, Incumbent is incumbent."""
    if text and re.fullmatch(r"[hg]\d+(?:\.\d+)?|c-[0-9a-f]+|baseline|incumbent", text, re.IGNORECASE):
        return text.lower()
    return text


def as_json(value: Any) -> str:
    """One line of JSON in ASCII from dataclasses, tuples, paths and plain values. NaN never appears."""
    from novum.ledger.codec import plain

    return json.dumps(plain(value), allow_nan=False, default=str)


def in_lines(value: Any) -> str:
    """The same in lines for people, in plain ASCII: nothing in it can move a cursor or turn a direction."""
    from novum.ledger.codec import plain

    return json.dumps(plain(value), indent=2, allow_nan=False, default=str)


def safe(text: str) -> str:
    """Text from elsewhere without terminal control sequences; what nobody would see of it is written out."""
    return for_terminal(text)


def line(text: str) -> str:
    """Text from elsewhere in one line, so that no part of it looks like a line of the lab's own."""
    return " ".join(safe(text).split())


def block(text: str) -> list[str]:
    """Text from elsewhere line by line, each marked as such, with nothing taken out and everything to be seen."""
    return [f"    | {one}" for one in exact(text).removesuffix("\n").split("\n")] if text else []


def genome(values: Any) -> str:
    """A genome in one line; the baseline of a program changes nothing."""
    from novum.text.format import written

    return line(" ".join(f"{name}={written(value)}" for name, value in values.items())) or "(no change)"


def is_source(*genomes: Any) -> bool:
    """Whether candidates are programs, whose genomes hold whole files."""
    return any(isinstance(value, str) and "\n" in value for one in genomes for value in one.values())


def number(value: float | None) -> str:
    """Four significant digits, or a dash."""
    return "-" if value is None else f"{value:.4g}"


def table(columns: list[str], rows: list[list[str]], *, right: frozenset[int] = frozenset()) -> None:
    """Print a table that fits the terminal; values are taken literally, each in one line."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(columns):
        shown.add_column(name, justify="right" if place in right else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(Text(line(cell)) for cell in row))
    Console(soft_wrap=False).print(shown)
