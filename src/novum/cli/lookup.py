"""The commands that look things up in the record: log, failures, diff, lineage."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from novum.cli.command_groups import EVIDENCE, RESULTS
from novum.cli.printing.json_values import EventLine
from novum.cli.printing.output import (
    LABS,
    JsonOption,
    LabOption,
    as_json,
    block,
    find_lab,
    genome,
    id_argument,
    in_lines,
    line,
    number,
    read_state,
    table,
)
from novum.core.model.candidate import Cost, Scalar
from novum.core.model.errors import IntegrityError, NovumError, UserError
from novum.core.model.trial import OutcomeKind
from novum.core.model.trial_plan import Purpose
from novum.text.format import written

if TYPE_CHECKING:
    from novum.core.events.campaign import SessionStarted
    from novum.ledger.journal import Reader
    from novum.views.candidate_comparison import Comparison, Difference, One
    from novum.views.record_search import Entry, FailureLine, FailureQuery, Search

POLL_SECONDS = 0.5
LAST_WHEN_FOLLOWING = 10
LONGEST = 300

KindsOption = Annotated[list[str] | None, typer.Option("--kind", help="Only this kind of event; may be repeated.")]
SubjectOption = Annotated[
    str, typer.Option(help="Only what is about this hypothesis, candidate, trial group or trial.")
]
SinceOption = Annotated[int, typer.Option(metavar="SEQ", min=0, help="Only events after this number.")]
EventOption = Annotated[int, typer.Option("--event", metavar="N", min=0, help="Only event N, with all that it holds.")]
LastOption = Annotated[int | None, typer.Option(metavar="N", min=1, help="Only the last N of them.")]
ActorOption = Annotated[str, typer.Option(help="Only acts of this one: lab, gate, executor or a researcher.")]
GrepOption = Annotated[str, typer.Option(metavar="TEXT", help="Only lines with this text in them, whatever its case.")]
FollowOption = Annotated[bool, typer.Option("--follow", "-f", help="Go on as the lab does, until its session ends.")]
LinesOption = Annotated[bool, typer.Option("--json", help="One JSON value a line on standard output, for machines.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(rich_help_panel=EVIDENCE)(log)
    for command in (failures, diff, lineage):
        app.command(rich_help_panel=RESULTS)(command)


def log(
    lab: LabOption = None,
    json: LinesOption = False,
    kind: KindsOption = None,
    subject: SubjectOption = "",
    since: SinceOption = 0,
    event: EventOption = 0,
    last: LastOption = None,
    actor: ActorOption = "",
    grep: GrepOption = "",
    follow: FollowOption = False,
) -> None:
    """The events of a lab in words: number, UTC time, actor, kind, what happened."""
    from novum.ledger.journal import Reader
    from novum.views.record_search import Query, Search, subjects

    query = Query(_kinds(kind or []), subject, actor, grep, since, event)
    if follow and last is None and not since:
        last = LAST_WHEN_FOLLOWING
    try:
        with Reader(find_lab(lab)) as reader, consistent():
            names = subjects(reader.read(), subject) if subject else ()
            search = Search(query, names)
            found = search.find(reader.read())
            shown = _show(deque(found, last) if last else found, json=json, whole=bool(event))
            if follow:
                _follow(reader, search, json=json)
            elif not shown and not json:
                print("no such events")
    except KeyboardInterrupt:
        sys.exit(130)


def failures(
    lab: LabOption = None,
    json: JsonOption = False,
    kind: Annotated[str | None, typer.Option(help="Only this type, for example timed_out.")] = None,
    cause: Annotated[str, typer.Option(metavar="TEXT", help="Only causes with this text, whatever its case.")] = "",
    purpose: Annotated[str | None, typer.Option(help="Only trials of this purpose, for example screen.")] = None,
    gene: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Only candidates with this gene; may be repeated.")
    ] = None,
    arena: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this arena; without --lab, in all of ./labs.")
    ] = None,
    group: Annotated[bool, typer.Option("--group", help="One line per type and cause, with counts and cost.")] = False,
) -> None:
    """Trials that gave no score, with type and cause."""
    from novum.views.record_search import FailureQuery, grouped

    _one_of("--kind", kind, list(OutcomeKind))
    _one_of("--purpose", purpose, list(Purpose))
    lines = list(_failures(FailureQuery(kind or "", cause, purpose or "", _genes(gene or [])), lab, arena))
    if json:
        print(as_json(grouped(lines) if group else lines))
    elif not lines:
        narrowed = any((kind, cause, purpose, gene, arena))
        print("no failed trials" + (" of that kind" if narrowed else ""))
    elif group:
        rows = [
            [str(g.count), number(g.cpu_seconds), str(g.kind), ", ".join(g.purposes), g.example, g.cause.split("\n")[0]]
            for g in grouped(lines)
        ]
        table(["trials", "CPU s", "type", "purpose", "first", "cause"], rows, right=frozenset({0, 1}))
    else:
        several = len({line.lab for line in lines}) > 1
        where = [[line.lab] if several else [] for line in lines]
        rows = [
            [*place, line.trial, str(line.kind), str(line.purpose), line.cause.split("\n")[0]]
            for place, line in zip(where, lines, strict=True)
        ]
        table([*(["lab"] if several else []), "trial", "type", "purpose", "cause"], rows)


def diff(
    a: Annotated[
        str,
        id_argument("A", "A candidate, a hypothesis (h7), baseline or incumbent."),
    ],
    b: Annotated[str, id_argument("B", "Another one.")],
    lab: LabOption = None,
    json: JsonOption = False,
) -> None:
    """Two candidates side by side: genes, settings, scores, costs, and every comparison between them."""
    from novum.lab.restore import read_index
    from novum.views.candidate_comparison import difference

    found = difference(read_index(find_lab(lab)), a, b)
    if json:
        print(as_json(found))
    else:
        _print_difference(found, a, b)


def lineage(
    name: Annotated[str, id_argument("ID", "A hypothesis (h7), baseline or incumbent.")],
    lab: LabOption = None,
    json: JsonOption = False,
    dot: Annotated[bool, typer.Option("--dot", help="A graph for Graphviz instead.")] = False,
) -> None:
    """What a hypothesis came from, down to the baseline, and what came from it."""
    from novum.lab.restore import read_index
    from novum.views import lineage as of

    family = read_index(find_lab(lab)).ancestry
    found = of.lineage(family, name := family.name(name))
    if json or dot:
        print(as_json(found) if json else of.dot(found))
        return
    print(of.in_words(of.node(family.state, name)))
    for title, lines in (("came from", of.ancestors(family, name)), ("came from it", of.descendants(family, name))):
        print("\n".join([f"\n{title}", *lines]) if lines else f"\n{title}: nothing")


@contextmanager
def consistent() -> Iterator[None]:
    """A record that contradicts itself, in words. Raises IntegrityError."""
    try:
        yield
    except (KeyError, IndexError, ValueError, AttributeError, AssertionError) as error:
        raise IntegrityError(f"the record contradicts itself ({error}): see `novum verify`") from error


def _kinds(asked: list[str]) -> frozenset[str]:
    from novum.core.events.event import EVENT_TYPES

    for kind in asked:
        _one_of("--kind", kind, list(EVENT_TYPES))
    return frozenset(asked)


def _one_of(option: str, value: str | None, allowed: list[str]) -> None:
    if value is not None and value not in allowed:
        raise UserError(f"{option} {value}: choose from {', '.join(allowed)}")


def _show(found: Iterable[Entry], *, json: bool, whole: bool = False) -> int:
    """Print entries as they come, `whole` with everything their events hold; returns how many there were."""
    from datetime import UTC, datetime

    from novum.ledger.codec import plain
    from novum.text.format import cut

    count = 0
    for entry in found:
        count, record = count + 1, entry.record
        moment = datetime.fromtimestamp(record.time / 1e6, UTC)
        if json:
            when = moment.isoformat(timespec="microseconds")
            print(
                as_json(
                    EventLine(
                        record.seq, when, record.actor, record.kind, entry.words, plain(record.event), record.hash
                    )
                )
            )
        else:
            when = moment.strftime("%Y-%m-%d %H:%M:%S")
            print(
                f"{record.seq:>6}  {when}  {cut(record.actor, 12):<8}  {record.kind:<21}  {cut(entry.words, LONGEST)}"
            )
            if whole:
                print(in_lines(record.event))
    sys.stdout.flush()
    return count


def _follow(reader: Reader, search: Search, *, json: bool) -> None:
    """Show what is added, until the session that adds it has ended or its process is gone. Locks nothing."""
    while not search.end:
        before = search.seen
        _show(search.find(reader.read(before)), json=json)
        if search.seen == before:
            if search.session and _gone(search.session):
                print("the session stopped without an end; `novum run` goes on from there", file=sys.stderr)
                return
            time.sleep(POLL_SECONDS)
    print(f"session {search.end.session} has ended: {line(search.end.reason)}", file=sys.stderr)


def _gone(session: SessionStarted) -> bool:
    """Whether the process of a session of this machine is gone. The lab's lock would tell, but only by taking it."""
    if session.host != socket.gethostname():
        return False
    try:
        os.kill(session.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _genes(asked: list[str]) -> dict[str, str]:
    found = {}
    for text in asked:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise UserError(f"--gene {text}: write a gene and its value, for example --gene depth=3")
        found[name] = value
    return found


def _failures(query: FailureQuery, lab: Path | None, arena: str | None) -> Iterator[FailureLine]:
    """The failures of one lab, or of all labs of an arena. One that cannot be read is named and left out."""
    from novum.views.record_search import failures as of

    if lab is not None or arena is None:
        directory = find_lab(lab)
        state = read_state(directory)
        if state.study and arena in (None, state.study.arena):
            yield from of(state, query, str(directory))
        return
    known = set()
    for database in sorted(LABS.glob("*/lab.db")):
        try:
            state = read_state(database.parent)
        except NovumError as error:
            print(f"novum: {error}", file=sys.stderr)
            continue
        known.add(state.study.arena)
        if state.study.arena == arena:
            yield from of(state, query, str(database.parent))
    if arena not in known:
        raise UserError(f"--arena {arena}: the labs in ./labs are of {', '.join(sorted(known)) or 'no arena yet'}")


def _print_difference(found: Difference, a: str, b: str) -> None:
    for label, name, one in (("a", a, found.a), ("b", b, found.b)):
        about = f", candidate of {', '.join(one.hypotheses)}" if one.hypotheses else ""
        print(f"{label}  {name}: {one.id}{about}")
    print(f"\ngenes that differ ({found.same_genes} are the same)")
    rows = [[one.name, _value(one.a), _value(one.b)] for one in found.genes]
    table(["gene", "a", "b"], rows)
    for text in block(found.patch):
        print(text)
    print()
    table(["", "a", "b"], [[name, of(found.a), of(found.b)] for name, of in _FIGURES])
    if found.screening_gain is not None:
        print(f"\nin screening b gains {found.screening_gain:+.3g} over a in {found.metric}")
    if not found.comparisons:
        print("\nnever compared: no hypothesis holds one against the other")
        return
    print("\ncomparisons in the record")
    table(
        ["", "question", "better", "verdict", "E", "threshold", "pairs", "effect"],
        [_compared(c) for c in found.comparisons],
    )


def _compared(one: Comparison) -> list[str]:
    size = "" if one.effect is None else f"{one.effect:+.3g}"
    if one.interval:
        size += f" ({one.interval[0]:+.3g} .. {one.interval[1]:+.3g})"
    evidence = [number(one.e_value), number(one.threshold), str(one.pairs), size]
    return [one.hypothesis, one.question, one.better, one.verdict, *evidence]


def _value(value: Scalar | None) -> str:
    return "-" if value is None else written(value)


def _built(one: One, name: str) -> str:
    """A cost by construction; what an arena knows nothing of is zero throughout."""
    return number(getattr(one.cost, name)) if one.cost and one.cost != Cost() else "-"


def _screened(one: One) -> str:
    return f"{number(one.screening_score)} ({one.screening_seeds} seeds)" if one.screening_seeds else "-"


_FIGURES = (
    ("screening score", _screened),
    ("mean on fresh seeds", lambda one: number(one.level)),
    ("setting", lambda one: genome(one.setting) or "-"),
    ("parameters", lambda one: _built(one, "parameters")),
    ("state floats", lambda one: _built(one, "state_floats")),
    ("FLOP a trial", lambda one: _built(one, "flop")),
    ("CPU s a trial", lambda one: f"{number(one.cpu_seconds)} ({one.runs} runs)" if one.runs else "-"),
    ("peak MiB", lambda one: number(one.peak_bytes / 2**20 if one.peak_bytes else None)),
)
