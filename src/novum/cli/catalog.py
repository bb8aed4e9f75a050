"""`novum arenas | researchers | executors`: what a study can name, built in or installed from elsewhere."""

from __future__ import annotations

import importlib.util
import inspect

import typer

from novum.cli.command_groups import SETUP
from novum.cli.printing.json_values import ArenaLine, PartLine
from novum.cli.printing.output import JsonOption, as_json, table
from novum.core.model.errors import StudyError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel=SETUP)(arenas)
    app.command(rich_help_panel=SETUP)(researchers)
    app.command(rich_help_panel=SETUP)(executors)


def arenas(json: JsonOption = False) -> None:
    """Arenas that a study can name, and the built-in studies in them."""
    from novum import registry
    from novum.registry import Kind

    found = [_arena(entry) for entry in registry.known(Kind.ARENA).values()]
    if json:
        print(as_json(found))
        return
    install = "no: pip install 'novum[arenas]'"
    rows = [
        [one.arena, ", ".join(one.studies), "yes" if one.ready else install, one.origin, one.question] for one in found
    ]
    table(["arena", "studies", "ready", "from", "question"], rows)
    print('\nAn arena of your own: arena = "package.module:Class" in a study (docs/guide.md).')


def researchers(json: JsonOption = False) -> None:
    """Researchers that a study can name."""
    _parts("researcher", json=json)


def executors(json: JsonOption = False) -> None:
    """Executors that a study can name: where trials run."""
    _parts("executor", json=json)


def _parts(kind: str, *, json: bool) -> None:
    from novum import registry
    from novum.core.model.options import option_names

    found = []
    for entry in registry.known(registry.Kind(kind)).values():
        target = registry.find(entry.kind, entry.name, kind)
        names = [] if kind == "executor" else option_names(target)
        found.append(PartLine(entry.name, (inspect.getdoc(target) or "").partition("\n")[0], names, entry.origin))
    if json:
        print(as_json(found))
        return
    rows = [[one.name, one.origin, ", ".join(one.options), one.about] for one in found]
    table(["name", "from", "options", "what it does"], rows)
    print(f"\nOne of your own: name it package.module:Class as the {kind} of a study (docs/guide.md).")


def _arena(entry: object) -> ArenaLine:
    from novum import registry
    from novum.studies.load import built_in, load_study

    assert isinstance(entry, registry.Entry)
    studies = [study for study in built_in() if load_study(study).study.arena == entry.name]
    try:
        spec = registry.build(entry.kind, entry.name, {}).spec
    except StudyError as error:
        about = "Any program with a metric: `novum new DIR` shows how." if entry.name == "program" else str(error)
        return ArenaLine(entry.name, about, "its own", True, studies, entry.origin)
    ready = all(importlib.util.find_spec(module) for module in spec.requires)
    return ArenaLine(entry.name, spec.question, spec.metric, ready, studies, entry.origin)
