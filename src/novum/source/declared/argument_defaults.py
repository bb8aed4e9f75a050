"""Defaults of command-line arguments: argparse, click, typer, and functions that are made a command line."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from novum.core.model.candidate import Scalar
from novum.source.declared.declaration import Declared
from novum.source.declared.python_source import Function, PythonSource, dotted, keyword, words
from novum.source.program_text import terminal

_RUNNERS = frozenset({"typer.run", "fire.Fire", "Fire", "tyro.cli", "jsonargparse.CLI", "CLI", "defopt.run"})
_PARAMETERS = frozenset({"Option", "Argument"})


@dataclass(frozen=True, slots=True)
class Option:
    """An option that a call declares, with a default or without: `--lr`, its plain name, and the call."""

    flag: str
    name: str
    call: ast.Call


def options(source: PythonSource) -> Iterator[Option]:
    """Every option of argparse and click."""
    decorators = {one for function in source.functions() for one in function.decorator_list}
    for call in source.calls():
        kind = terminal(call.func)
        if kind == "add_argument" or (kind == "option" and call in decorators):
            names = [words(one) for one in call.args if words(one)]
            flags = [one for one in names if one.startswith("-")] or names
            if flags:
                flag = next((one for one in flags if one.startswith("--")), flags[0]).partition("/")[0].strip()
                given = words(keyword(call, "dest")) or next((one for one in names if one.isidentifier()), "")
                yield Option(flag, given or flag.lstrip("-").replace("-", "_"), call)


def argument_defaults(source: PythonSource) -> Iterator[Declared | None]:
    """The declared defaults of all arguments."""
    for one in options(source):
        kind = keyword(one.call, "type")
        choices = source.choices(keyword(one.call, "choices")) or source.choices(kind)
        yield source.declare(
            keyword(one.call, "default"), one.flag, one.name, "argument",
            kind=kind, choices=choices, doc=words(keyword(one.call, "help")),
        )  # fmt: skip
    for function in commands(source):
        for parameter, default in parameters(function):
            yield _parameter(source, function, parameter, default)


def commands(source: PythonSource) -> Iterator[Function]:
    """Functions whose parameters are the arguments of a command line."""
    runs = [call.args[0] for call in source.calls() if call.args and dotted(call.func) in _RUNNERS]
    run = {one.id for one in runs if isinstance(one, ast.Name)}
    for function in source.functions():
        decorated = any(
            isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr == "command"
            for one in function.decorator_list
        )
        if decorated or function.name in run:
            yield function


def parameters(function: Function) -> Iterator[tuple[ast.arg, ast.expr]]:
    """The parameters of a function that have a default."""
    given = function.args
    plain = [*given.posonlyargs, *given.args]
    yield from zip(plain[len(plain) - len(given.defaults) :], given.defaults, strict=True)
    yield from ((one, default) for one, default in zip(given.kwonlyargs, given.kw_defaults, strict=True) if default)


def _parameter(source: PythonSource, function: Function, parameter: ast.arg, default: ast.expr) -> Declared | None:
    doc, value = "", default
    choices: tuple[Scalar, ...] = ()
    described = [default, *(ast.walk(parameter.annotation) if parameter.annotation else ())]
    for node in described:
        if isinstance(node, ast.Call) and terminal(node.func) in _PARAMETERS:
            doc = doc or words(keyword(node, "help"))
            choices = choices or source.choices(keyword(node, "click_type"))
            if node is default:
                value = node.args[0] if node.args else keyword(node, "default") or default
    place = f"{function.name}({parameter.arg})"
    return source.declare(value, place, parameter.arg, "argument", kind=parameter.annotation, choices=choices, doc=doc)
