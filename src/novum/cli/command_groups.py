"""Groups of commands in `novum --help`, each command with its whole sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typer.core import TyperGroup

if TYPE_CHECKING:
    import click

RUN = "Run and watch"
RESULTS = "Results"
EVIDENCE = "Evidence"
PEOPLE = "People and agents"
SETUP = "Set-up"

ORDER = (RUN, RESULTS, EVIDENCE, PEOPLE, SETUP)


class GroupedCommands(TyperGroup):
    """Lists the commands under the group that each names as its help panel, in the order of `ORDER`."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # type: ignore[override]
        """Write one section for each group; help lines are wrapped, never cut."""
        rows: dict[str, list[tuple[str, str]]] = {group: [] for group in ORDER}
        for name in self.list_commands(ctx):  # type: ignore[arg-type]
            command = self.commands[name]
            if not command.hidden:
                sentence = (command.help or "").partition("\n\n")[0]
                rows[getattr(command, "rich_help_panel", None) or SETUP].append((name, " ".join(sentence.split())))
        widest = max(len(name) for group in rows.values() for name, _ in group)
        for group, listed in rows.items():
            with formatter.section(group):
                formatter.write_dl([(name.ljust(widest), sentence) for name, sentence in listed])
