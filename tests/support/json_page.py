"""Writes docs/json.md from the JSON schemas of the commands: `python tests/support/json_page.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from novum.cli.printing.json_schema import OUTPUTS, json_schema

PAGE = Path(__file__).parents[2] / "docs" / "json.md"

_HEAD = """# What commands print with --json

With `--json` a command prints one JSON value on standard output, and everything else on standard error; `novum log`
prints one value a line. Numbers are finite: where there is no number there is `null`. Times are in microseconds since
the epoch where nothing else is said, seconds are of CPU or wall as their names say, scores and effects are in metric
units.

`novum schema COMMAND` prints the JSON schema (draft 2020-12) of a command, `novum schema` those of all. Fields may be
added in later versions; those that are here keep their names and types. This page is made from the schemas.
"""


def page() -> str:
    """The whole page."""
    parts: dict[str, dict[str, Any]] = {}
    lines = [_HEAD, "## Commands\n", "| command | value |", "|---|---|"]
    for command, output in OUTPUTS.items():
        schema = json_schema(command)
        parts |= schema.get("$defs", {})
        whole = schema
        if "properties" in schema:
            name = output.type.__name__
            parts[name] = schema
            whole = {"$ref": f"#/$defs/{name}"}
        lines.append(f"| `novum {command}` | {_written(whole)}{', one a line' if output.lines else ''} |")
    lines.append("\n## Values\n")
    for name in sorted(parts):
        lines.extend(_part(name, parts[name]))
    return "\n".join(lines).rstrip() + "\n"


def _part(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"### {name}\n"
    about = schema.get("description", "")
    if about and "enum" not in schema:
        yield f"{about}\n"
    if "enum" in schema:
        yield f"{' '.join(about.split())} One of: {', '.join(f'`{value}`' for value in schema['enum'])}.\n"
    if schema.get("properties"):
        yield "| field | type | |"
        yield "|---|---|---|"
        for field, described in schema["properties"].items():
            yield f"| `{field}` | {_written(described)} | {' '.join(described.get('description', '').split())} |"
        yield ""


def _written(schema: dict[str, Any]) -> str:
    """A type in words, with links to the parts of the page."""
    if ref := schema.get("$ref"):
        name = ref.rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if options := schema.get("anyOf"):
        return " or ".join(_written(one) for one in options)
    kind = schema.get("type", "any")
    if kind == "array":
        items = [_written(one) for one in schema.get("prefixItems", [])] or [_written(schema.get("items", {}))]
        return f"list of {', '.join(items)}"
    if kind == "object" and (values := schema.get("additionalProperties")):
        return f"object of {_written(values) if isinstance(values, dict) else 'any'}"
    return str(kind)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
