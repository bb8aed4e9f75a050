"""Tables as CSV: RFC 4180, UTF-8, a header line, nothing in the cells of None.

A spreadsheet takes text that begins with = + - or @ for a formula, and what stands in a trial's message or a
researcher's rationale is not the owner's. Such text gets an apostrophe in front, which spreadsheets take for "this is
text" (OWASP, CSV injection); numbers stay numbers, also where they are text.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

from novum.integrations.exports.campaign_tables import sheets
from novum.integrations.exports.files import write_origin, write_whole
from novum.integrations.exports.tables import Table, Value, written
from novum.views.index.campaign_index import CampaignIndex

_OBEYED = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def write_csv(found: CampaignIndex, directory: Path) -> dict[str, int]:
    """Write one file per table; returns the number of rows by table. Raises UserError."""
    tables = sheets(found)
    for table in tables:
        write_whole(directory / f"{table.name}.csv", lambda part, table=table: _write(table, part))  # type: ignore[misc]
    write_origin(directory, found)
    return {table.name: len(table.rows) for table in tables}


def _write(table: Table, part: Path) -> None:
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([defused(column.name) for column in table.columns])
        writer.writerows([_cell(value) for value in row] for row in table.rows)


def _cell(value: Value) -> str:
    return defused(value) if isinstance(value, str) else written(value)


def defused(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_OBEYED) and not _NUMBER.fullmatch(text) else text
