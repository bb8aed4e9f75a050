"""`novum help`: a command's help, or what the ten words mean that one meets first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import typer

from novum.cli.command_groups import SETUP
from novum.core.model.errors import UserError

if TYPE_CHECKING:
    from typer.core import TyperGroup

WORDS = {
    "study": "A question, an arena, a researcher, a budget and the gate's settings; one TOML file.",
    "arena": "A problem with its data, baseline, space of candidates, trial and trusted score (novum arenas).",
    "candidate": "What is tried: a genome or a program, named by its content.",
    "incumbent": "The best confirmed candidate so far; the baseline at the start.",
    "hypothesis": "The claim that a candidate beats the incumbent (h7), registered before its trials.",
    "screening": "Cheap runs on search seeds that decide what is worth confirming. They are no evidence.",
    "confirmation": "Candidate and incumbent on the same fresh seeds, pair by pair, until the gate stops.",
    "evidence": "E: a bet against 'no gain' that grows with each pair. It must reach the threshold, which is paid from "
    "one account for the whole campaign, so that few findings are false however many ideas are tried.",
    "verdict": "Supported, refuted or inconclusive, with E, threshold, pairs and an interval.",
    "finding": "A supported hypothesis with its size from fresh pairs; it can be replicated, or retracted again.",
}


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("help", rich_help_panel=SETUP)(explain)


def explain(
    context: typer.Context,
    topic: Annotated[str, typer.Argument(metavar="[COMMAND|WORD]", help="A command, or a word such as evidence.")] = "",
) -> None:
    """A command's help, or what a word means; without either, the ten words that one meets first."""
    word = topic.lower()
    group = context.parent
    assert group
    commands = cast("TyperGroup", group.command)
    if word in commands.commands:
        print(commands.commands[word].get_help(typer.Context(commands.commands[word], parent=group, info_name=word)))
    elif word in WORDS:
        print(WORDS[word])
    elif word:
        raise UserError(f"{topic!r} is neither a command (novum --help) nor one of {', '.join(WORDS)}")
    else:
        widest = max(map(len, WORDS))
        for name, meaning in WORDS.items():
            print(f"{name:<{widest}}  {meaning}")
        print("\nmore: docs/glossary.md; novum help COMMAND, novum --help")
