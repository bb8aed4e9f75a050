"""What a model is told of a study: question, candidates, incumbent, what was tried and what came of it, what is left.

Bounded in characters. What files, logs and earlier candidates say stands in delimited blocks, cleaned and shortened.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.candidate import Gene, Genome, Space
from novum.core.model.errors import StudyError
from novum.core.model.study_view import FailedTrial, PastHypothesis, StudyView
from novum.core.model.verdict import Verdict
from novum.researchers.language import templates
from novum.researchers.language.reply_forms import BlocksForm, ChangesForm, Form, ValuesForm
from novum.researchers.language.untrusted_text import harmless, line, shortened, tag, without_secrets
from novum.source.patch import patch
from novum.source.space import SourceSpace
from novum.text.format import written

BEST, LATEST = 6, 8
"""How many of what was tried are told: the best ones, and the latest of the others."""
READINGS = 5
"""Of a run's progress."""


@dataclass(frozen=True, slots=True)
class Brief:
    """The two messages of a prompt."""

    system: str
    user: str


@dataclass(frozen=True, slots=True)
class Data:
    """Text from elsewhere, to be delimited. `limit`: its characters."""

    text: str
    limit: int


Part = str | Data


def brief(view: StudyView, form: Form, characters: int, *, small: bool) -> Brief:
    """The prompt of at most about `characters` characters. Nothing in it is a seed, a key or a confirmation score."""
    system = templates.SHORT_SYSTEM if small else templates.SYSTEM
    task = (templates.SHORT_TASK if small else templates.TASK).format(how=_how(form), metric=line(view.spec.metric, 80))
    room = max(400, characters - len(system) - len(task) - 200)
    parts = _trimmed(_parts(view, form, room, small=small), room)
    data = [without_secrets(harmless(part.text)) for part in parts if isinstance(part, Data)]
    mark = tag(data)
    texts = iter(data)
    body = "\n".join(
        part if isinstance(part, str) else f"<{mark}>\n{shortened(next(texts), part.limit)}\n</{mark}>"
        for part in parts
    )
    return Brief(system.format(tag=mark), f"{body}\n\n{task}")


def repair(error: str) -> str:
    """What is said to a model whose answer could not be used."""
    words = harmless(line(without_secrets(error), 600))
    return templates.REPAIR.format(tag=tag([words]), error=words)


def _how(form: Form) -> str:
    if isinstance(form, BlocksForm):
        return templates.BLOCKS
    if isinstance(form, ChangesForm):
        return templates.CHANGES
    return templates.VALUES if isinstance(form, ValuesForm) else templates.GENES


def _parts(view: StudyView, form: Form, room: int, *, small: bool) -> list[Part]:
    """Everything that may be told, the most important first."""
    few = 3 if small else None
    return [
        f"Question: {line(view.question, 300 if small else 1000)}",
        _metric(view.spec, small=small),
        *_candidates(view, form, room, small=small),
        *_remarks(view.remarks),
        f"Proposal number {view.number}. {_left(view)}",
        *_tried(view, few or BEST, few or LATEST, room // 20),
        *_failures(view.failed, few or 6),
        *_notes(view.notes),
    ]


def _trimmed(parts: Iterable[Part], room: int) -> list[Part]:
    """As many parts, from the beginning, as there is room for."""
    kept: list[Part] = []
    for part in parts:
        size = len(part) if isinstance(part, str) else min(len(part.text), part.limit) + 50
        if size > room:
            if room < 100:
                break
            part = shortened(part, room - 50) if isinstance(part, str) else Data(part.text, room - 50)
            size = room
        room -= size
        kept.append(part)
    return kept


def _metric(spec: ArenaSpec, *, small: bool) -> str:
    direction = "higher" if spec.higher_is_better else "lower"
    ends = [
        f"{word} {value:g}"
        for word, value in (("guessing", spec.floor), ("perfect", spec.ceiling))
        if value is not None
    ]
    said = f"Metric: {line(spec.metric, 80)}, {direction} is better" + (f" ({', '.join(ends)})" if ends else "")
    unit = "; gains are natural logarithms of ratios" if spec.log else ""
    summary = f"\nArena: {line(spec.summary, 600)}" if spec.summary and not small else ""
    return f"{said}{unit}. Differences below {spec.resolution:g} mean nothing.{summary}"


def _candidates(view: StudyView, form: Form, room: int, *, small: bool) -> list[Part]:
    """The space, and the incumbent in it."""
    if isinstance(view.space, Space):
        genes = view.space.genes
        return [
            "Genes and their choices:\n" + "\n".join(_gene(gene, 40 if small else 200) for gene in genes),
            f"Incumbent: {_genome(view.incumbent, 40)}",
        ]
    if isinstance(form, ValuesForm):
        numbers = [f"{line(name, 120)} = {written(value)}" for name, value in form.values.items()]
        return ["The numbers of the incumbent program:", Data("\n".join(numbers), room // 2)]
    assert isinstance(view.space, SourceSpace)
    space, genome = view.space, form.base
    paths = sorted({*space.base, *genome})
    share = room * 3 // 5 // max(1, len(paths))
    parts: list[Part] = ["The files of the incumbent program that may be changed:"]
    for path in paths:
        parts += [f"File {line(path, 200)}:", Data(space.text(genome, path), share)]
    if space.creatable:
        parts.append(f"New files may be created in: {', '.join(folder or 'any folder' for folder in space.creatable)}")
    return parts


def _gene(gene: Gene, limit: int) -> str:
    choices = [written(choice) for choice in gene.choices]
    shown = ", ".join(choices if len(choices) <= 16 else [*choices[:4], "...", *choices[-2:]])
    return f"{gene.name}: {shown}" + (f" ({line(gene.doc, limit)})" if gene.doc else "")


def _genome(genome: Genome, limit: int) -> str:
    return ", ".join(f"{name}={line(written(value), limit)}" for name, value in genome.items())


def change(view: StudyView, genome: Genome, limit: int) -> str:
    """What a candidate changes of the incumbent, or of the base program."""
    if isinstance(view.space, SourceSpace):
        try:
            lines = patch(view.space, genome).split("\n")
        except StudyError:
            return "a program that does not fit any more"
        changed = [one for one in lines if one[:1] in "+-" and one[:3] not in ("+++", "---")]
        return shortened("; ".join(" ".join(one.split()) for one in changed), limit)
    changed = [
        f"{name} {written(view.incumbent[name])} -> {written(value)}"
        for name, value in genome.items()
        if name in view.incumbent and view.incumbent[name] != value
    ]
    return ", ".join(changed) or "the incumbent itself"


def _tried(view: StudyView, best: int, latest: int, limit: int) -> list[Part]:
    """The best and the latest of what was tried, and every verdict among them."""
    scored = sorted((one for one in view.tried if math.isfinite(one.advantage)), key=lambda one: -one.advantage)
    chosen = {one.id: one for one in scored[:best]}
    chosen |= {one.id: one for one in [one for one in view.tried if one.id not in chosen][-latest:]}
    if not chosen:
        return ["Nothing has been tried yet."]
    rows = [_row(view, one, max(60, min(400, limit))) for one in chosen.values()]
    won = sum(one.verdict is Verdict.SUPPORTED for one in view.tried)
    lost = sum(one.verdict is Verdict.REFUTED for one in view.tried)
    head = f"Of the last {len(view.tried)} ideas {won} were confirmed and {lost} refuted. Best first, then the latest:"
    return [head, Data("\n".join(rows), 8 * limit + 400)]


def _row(view: StudyView, one: PastHypothesis, limit: int) -> str:
    gain = f"gained {one.advantage:+.4g} in a cheap look" if math.isfinite(one.advantage) else "gave no score"
    if one.stopped:
        gain = "was ended early, far behind the others"
    verdict = "" if one.verdict is None else f"; {one.verdict}"
    remarks = f"; scorer: {line(one.remarks, limit)}" if one.remarks else ""
    return f"{one.id}: {line(change(view, one.genome, limit), limit)}: {gain}{verdict}{_progress(one)}{remarks}"


def _progress(one: PastHypothesis) -> str:
    """A few readings of a run, from its first to its last."""
    if len(one.curve) < 2:
        return ""
    last = len(one.curve) - 1
    places = sorted({round(number * last / (READINGS - 1)) for number in range(READINGS)})
    return f"; on its way {' '.join(f'{one.curve[place][1]:.4g}' for place in places)}"


def _failures(failed: Sequence[FailedTrial], most: int) -> list[Part]:
    """Why trials gave no score, each reason once, the latest first."""
    reasons: dict[str, str] = {}
    for one in reversed(failed):
        cause = line(one.cause, 300)
        reasons.setdefault(cause, f"{one.hypothesis or 'a trial'} {one.kind}: {cause}")
    if not reasons:
        return []
    return ["Trials that failed, and why:", Data("\n".join(list(reasons.values())[:most]), 400 * most)]


def _remarks(said: str) -> list[Part]:
    """What the scorer said of the incumbent."""
    return ["What the scorer said of the incumbent:", Data(said, 2000)] if said else []


def _notes(notes: Sequence[str]) -> list[Part]:
    """What the watchdog did lately: who proposes what goes nowhere is told so."""
    lines = [line(one, 400) for one in notes]
    return ["What the watchdog did lately:", Data("\n".join(lines), 400 * len(lines))] if lines else []


def _left(view: StudyView) -> str:
    parts = []
    if view.means.trials is not None:
        parts.append(f"{view.means.trials} trials")
    if view.means.tokens is not None:
        parts.append(f"{view.means.tokens} tokens")
    if view.means.money is not None:
        parts.append(f"{view.means.money:.2f} dollars")
    return f"Left of the budget: {', '.join(parts)}." if parts else "The budget bounds time only."
