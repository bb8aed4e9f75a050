"""Edits of the rows of a record ([time, actor, kind, payload]), for `forgery.rewrite`: what its owner could do."""

from __future__ import annotations

import json
import re

from forgery import text


def place(rows, kind, only="", nth=0) -> int:
    """Where an event of a kind with `only` in it stands."""
    return [number for number, row in enumerate(rows) if row[2] == kind and only in row[3]][nth]


def at(kind, edit, only="", nth=0):
    """Change the value of one event."""

    def change(rows):
        row = rows[place(rows, kind, only, nth)]
        value = json.loads(row[3])
        edit(value)
        row[3] = text(value)

    return change


def put(kind, only="", nth=0, /, **values):
    """Set fields of one event."""
    return at(kind, lambda value: value.update(values), only, nth)


def raw(kind, old, new, only=""):
    """Replace a text in the payload of one event (`old`: a regular expression), as it is hashed."""

    def change(rows):
        row = rows[place(rows, kind, only)]
        changed = re.sub(old, lambda _: new, row[3], count=1)
        assert changed != row[3]
        row[3] = changed

    return change


def drop(kind, only="", nth=0, more=0):
    """Take one event out, and so many more behind it."""

    def change(rows):
        here = place(rows, kind, only, nth)
        del rows[here : here + 1 + more]

    return change


def double(kind, only="", nth=0):
    """Write one event twice."""

    def change(rows):
        here = place(rows, kind, only, nth)
        rows.insert(here + 1, list(rows[here]))

    return change


def swap(kind, nth=0, by=1):
    """Let one event change places with a later one."""

    def change(rows):
        here = place(rows, kind, nth=nth)
        rows[here], rows[here + by] = rows[here + by], rows[here]

    return change


def exchange(kind, name):
    """Let the first two events of a kind that have different values of this name swap them."""

    def change(rows):
        mine, *others = [row for row in rows if row[2] == kind and f'"{name}":null' not in row[3]]
        one = json.loads(mine[3])
        other = next(row for row in others if json.loads(row[3])[name] != one[name])
        two = json.loads(other[3])
        one[name], two[name] = two[name], one[name]
        mine[3], other[3] = text(one), text(two)

    return change


def every(kind, edit):
    """Change the values of all events of a kind."""

    def change(rows):
        for row in rows:
            if row[2] == kind:
                value = json.loads(row[3])
                edit(value)
                row[3] = text(value)

    return change


def both(*edits):
    """One edit after the other."""

    def change(rows):
        for edit in edits:
            edit(rows)

    return change


def without_follow_up(aim, nth=0, also=()):
    """Leave one follow-up out with all that belongs to it, and number every later trial group anew.

    also: kinds of events that are taken out behind its closing, up to the next trial group.
    """

    def change(rows):
        opened = place(rows, "follow_up_opened", f'"aim":"{aim}"', nth)
        about = json.loads(rows[opened][3])
        name, attempt = about["hypothesis"], about["rule"]["attempt"]
        gone = {opened}
        groups = set()
        closed = len(rows)
        for number, row in enumerate(rows):
            value = json.loads(row[3])
            if row[2] == "group_dispatched" and _of(value["plan"], name, attempt):
                groups.add(value["plan"]["id"])
                gone.add(number)
            elif row[2] == "trial_finished" and value["group"] in groups:
                gone.add(number)
            elif row[2] == "follow_up_closed" and (value["hypothesis"], value["attempt"]) == (name, attempt):
                gone |= {number, *([number + 1] if rows[number + 1][2] == "checkpoint_signed" else [])}
                closed = number
            elif number > closed and row[2] == "group_dispatched":
                closed = len(rows)
            elif number > closed and row[2] in also:
                gone.add(number)
        rows[:] = [row for number, row in enumerate(rows) if number not in gone]
        renumber(rows)

    return change


def _of(plan, name, attempt) -> bool:
    return (plan["purpose"], plan["subject"], plan["attempt"]) == ("follow_up", name, attempt)


def renumber(rows) -> None:
    """Give trial groups numbers without holes, and their trials with them."""
    names: dict[str, str] = {}
    for row in rows:
        if row[2] not in ("group_dispatched", "trial_finished", "late_report"):
            continue
        value = json.loads(row[3])
        if row[2] == "group_dispatched":
            names[value["plan"]["id"]] = value["plan"]["id"] = f"g{len(names) + 1}"
        else:
            value["group"] = names[value["group"]]
            if row[2] == "trial_finished":
                value["trial"] = f"{value['group']}.{value['member']}"
        row[3] = text(value)
