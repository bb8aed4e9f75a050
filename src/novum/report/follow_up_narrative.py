"""What became of a finding: asked again, elsewhere, without its parts, on other metrics, on the final data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from novum.core.events.event import Record
from novum.core.events.evidence_account import TailRefuted
from novum.core.events.verdicts import FollowUpClosed, FollowUpOpened, HoldoutAnswered
from novum.core.model.trial_plan import Aim
from novum.core.model.verdict import Verdict
from novum.report.cited import Part, Sentence, Source, say
from novum.report.outcome import bounds
from novum.views.index.case_index import Case, CaseIndex

QUESTIONS: Mapping[Aim, str] = {
    Aim.REPLICATE: "Asked again on fresh seeds",
    Aim.TRANSFER: "Asked elsewhere",
    Aim.ABLATE: "Held against itself without a part",
    Aim.METRIC: "Asked on a further metric",
}
SHOWN: Mapping[Aim, str] = {
    Aim.REPLICATE: "so it is replicated",
    Aim.TRANSFER: "so it holds there, too",
    Aim.ABLATE: "so this part contributes",
    Aim.METRIC: "so it is better on that, too",
}
NOT_SHOWN: Mapping[Aim, str] = {
    Aim.REPLICATE: "so whether it holds again is open",
    Aim.TRANSFER: "so it is not shown to hold there",
    Aim.ABLATE: "so it is not shown that this part contributes",
    Aim.METRIC: "so it is not shown to be better on that",
}


def further(book: CaseIndex, case: Case) -> Iterator[Sentence]:
    """Every question that a finding was asked, and whether it still stands."""
    for opened, closed in case.follow_ups:
        yield from _question(opened, closed)
    if case.tail and isinstance(case.tail.event, TailRefuted):
        yield from _refuted_later(case.tail, case.tail.event)
    yield from _retracted(book, case)
    if case.holdout and isinstance(case.holdout.event, HoldoutAnswered):
        yield from _final(case.holdout, case.holdout.event)


def _refuted_later(record: Record, event: TailRefuted) -> Iterator[Sentence]:
    source = Source(record)
    lost: tuple[Part, ...] = ()
    if event.losses:
        lost = (", ", source.figure("losses"), " of which lost more than four standard deviations")
    yield say(
        "Its candidate ran on fresh seeds ", source.figure("runs"), " times more", *lost, ": the mean gain was ",
        source.gain("mean"), " where half of the claim is ", source.gain("wanted"), ", so the finding is retracted.",
    )  # fmt: skip


def _question(opened: Record, closed: Record | None) -> Iterator[Sentence]:
    asked = opened.event
    assert isinstance(asked, FollowUpOpened)
    about: tuple[Part, ...] = (" (", Source(opened).name("about", 80), ")") if asked.about else ()
    if closed is None or not isinstance(closed.event, FollowUpClosed):
        yield say(QUESTIONS[asked.aim], *about, ": there is no answer yet.")
        return
    end, source = closed.event, Source(closed)
    size: tuple[Part, ...] = ()
    if end.effect is not None and end.level:
        size = ("; over all of these the gain was ", source.gain("effect"), *bounds(source, end.interval))
    yield say(
        QUESTIONS[asked.aim], *about, ": ", source.name("verdict"), " after ", source.figure("pairs"), " pairs, E ",
        source.figure("e_value"), " against ", source.figure("threshold"), *size,
        f"; {_means(asked.aim, end.verdict)}.",
    )  # fmt: skip
    if end.verdict is Verdict.REFUTED and asked.aim is not Aim.REPLICATE:
        rule = Source(opened)
        yield say(
            "There a gain of ", rule.figure("rule.dmin"), " or more is ruled out, with an error of at most ",
            rule.figure("rule.beta"), ".",
        )  # fmt: skip
    if end.crashes:
        yield say("Of its runs there ", source.figure("crashes"), " failed; each counts against it.")


def _means(aim: Aim, verdict: Verdict) -> str:
    if verdict is Verdict.SUPPORTED:
        return SHOWN[aim]
    if verdict is Verdict.REFUTED and aim is Aim.REPLICATE:
        return "less than half of the claimed gain is left, so the finding is retracted"
    return NOT_SHOWN[aim]


def _retracted(book: CaseIndex, case: Case) -> Iterator[Sentence]:
    """A finding on a ground that gave way."""
    ground, seen = book.ground(case), {case.claim.id}
    if case.verdict is not Verdict.SUPPORTED or case.retracting:
        return
    while ground and ground.claim.id not in seen:
        if ground.retracting:
            name = Source(ground.retracting).name("hypothesis")
            yield say("It was built on ", name, ", which was retracted, so it is retracted with it.")
            return
        seen.add(ground.claim.id)
        ground = book.ground(ground)


def _final(record: Record, answer: HoldoutAnswered) -> Iterator[Sentence]:
    source = Source(record)
    words = "it holds there" if answer.held else "it was not shown to hold there"
    told: tuple[Part, ...] = ()
    if answer.reported is not None:
        told = ("; the gain that was told is ", source.gain("reported"))
    warning: tuple[Part, ...] = ("; ", source.name("warning")) if answer.warning else ()
    yield say("On the final data, by query ", source.figure("number"), f": {words}", *told, *warning, ".")
