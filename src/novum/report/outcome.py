"""What the gate said of a claim, and what that means: verdict, size, prediction, and what was learnt without a win."""

from __future__ import annotations

from collections.abc import Iterator

from novum.core.events.event import Record
from novum.core.events.verdicts import ConfirmationOpened, FindingRecorded, VerdictReached
from novum.core.model.metric import COMPUTE
from novum.core.model.verdict import Estimand, Verdict
from novum.report.cited import Part, Sentence, Source, say
from novum.views.index.case_index import Case

SUPERSEDED, GUARDRAIL = "superseded", "guardrail"
"""How the reasons begin of verdicts that say nothing of the claim's own metric."""


_CLAIMED = {
    Estimand.MEAN: "What is claimed is the mean gain, with losses in full.",
    Estimand.TYPICAL: "What is claimed is a typical gain: a rare large loss counts as a small one.",
}


def confirmation(case: Case, opened: Record) -> Iterator[Sentence]:
    """One confirmation: pairs, E against its threshold, why it stopped, guardrails, and what follows."""
    rule = opened.event
    assert isinstance(rule, ConfirmationOpened)
    ends = (record for record in case.verdicts if _attempt(record) == rule.attempt)
    end = next(ends, None)
    source = Source(opened)
    if end is None or not isinstance(end.event, VerdictReached):
        yield say(
            "Confirmation ", source.figure("attempt"), " is open: E must reach ", source.figure("threshold"),
            " within ", source.figure("max_pairs"), " pairs of fresh seeds.",
        )  # fmt: skip
        return
    said = Source(end)
    yield say(
        "Confirmation ", said.figure("attempt"), ": after ", said.figure("pairs"), " pairs of fresh seeds, of at most ",
        source.figure("max_pairs"), ", E was ", said.figure("e_value"), " against a threshold of ",
        said.figure("threshold"), ": ", said.name("verdict"), " (", said.name("reason"), ").",
    )  # fmt: skip
    if rule.arm and not rule.arm.startswith(f"{rule.hypothesis}:"):
        yield say("It was confirmed beside others, against the same runs of the incumbent.")
    if end.event.crashes:
        yield say("Of its runs in these pairs ", said.figure("crashes"), " failed; each counts against it.")
    yield from _guards(rule, source, end.event, said)
    yield from _learnt(rule, source, end.event, said)
    yield say(
        "The confirmation staked ", source.figure("stake"), " of the campaign's evidence, and ", said.figure("refund"),
        " came back.",
    )  # fmt: skip


def _attempt(record: Record) -> int:
    return record.event.attempt if isinstance(record.event, VerdictReached) else 0


def _guards(rule: ConfirmationOpened, source: Source, verdict: VerdictReached, said: Source) -> Iterator[Sentence]:
    """What the guardrails showed."""
    for number, (guard, seen) in enumerate(zip(rule.guards, verdict.guards, strict=False)):
        needed = 1.0 / rule.beta
        if guard.metric == COMPUTE:
            yield say(
                "The mean worsening of compute, as a natural logarithm, was ",
                said.figure(f"guards.{number}.mean"), " on ", said.figure(f"guards.{number}.observations"),
                " pairs (negative is worse), where ", source.figure(f"guards.{number}.margin"), " is the margin.",
            )  # fmt: skip
            continue
        words = "which shows that it is kept" if seen.e_value >= needed else "which does not show that it is kept"
        if seen.against >= needed:
            words = "and the margin was shown to be broken"
        unit = " (a natural logarithm)" if guard.log else ""
        yield say(
            "Guardrail ", said.name(f"guards.{number}.metric"), ": E that a margin of ",
            source.figure(f"guards.{number}.margin"), f"{unit} is kept was ", said.figure(f"guards.{number}.e_value"),
            " on ", said.figure(f"guards.{number}.observations"), f" observations, {words}.",
        )  # fmt: skip


def _learnt(rule: ConfirmationOpened, source: Source, verdict: VerdictReached, said: Source) -> Iterator[Sentence]:
    """What a confirmation without a win has shown all the same."""
    beyond: tuple[Part, ...] = (" beyond ", source.figure("delta")) if rule.delta else ()
    if verdict.verdict is Verdict.REFUTED and verdict.reason.startswith(GUARDRAIL):
        yield say("It was refuted for a guardrail; of its gain on its own metric nothing was concluded.")
    elif verdict.verdict is Verdict.REFUTED:
        yield say(
            "What was learnt: a gain of ", source.figure("dmin"), *beyond, " or more is ruled out, with an error of at "
            "most ", source.figure("beta"), "; a smaller gain is not.",
        )  # fmt: skip
    elif verdict.verdict is Verdict.INCONCLUSIVE:
        yield from _undecided(rule, source, verdict, said, beyond)


def _undecided(
    rule: ConfirmationOpened,
    source: Source,
    verdict: VerdictReached,
    said: Source,
    beyond: tuple[Part, ...],
) -> Iterator[Sentence]:
    """What an end without a decision leaves open."""
    if verdict.reason.startswith(SUPERSEDED):
        yield say("It ended for a reason outside its evidence, which was neither for it nor against it.")
        return
    yield say("Neither the claim nor its opposite was shown; this is no proof that there is no gain.")
    if verdict.against < 1.0 / rule.beta:
        yield say(
            "A gain of ", source.figure("dmin"), *beyond, " or more was not ruled out either: paired runs differ by "
            "chance with a standard deviation of ", source.figure("sigma"), ", and ", said.figure("pairs"),
            " pairs did not decide it.",
        )  # fmt: skip
    if verdict.e_value >= 1.0 / rule.alpha:
        yield say(
            "Its evidence would do for a single test at level ", source.figure("alpha"), ", and not for one of many; "
            "it is worth another look and no finding.",
        )  # fmt: skip


def size(case: Case) -> Iterator[Sentence]:
    """The effect of a supported claim on fresh pairs, and the prediction beside what came of it."""
    if case.verdict is Verdict.SUPPORTED:
        yield from _effect(case)
    if case.verdict is not None:
        registered, said = Source(case.registered), Source(case.verdicts[-1])
        yield say(
            "So what had been given a chance of ", registered.figure("probability"), " was ", said.name("verdict"), "."
        )


def _effect(case: Case) -> Iterator[Sentence]:
    event = case.finding.event if case.finding else None
    if case.finding is None or not isinstance(event, FindingRecorded):
        yield say("The size of its gain is still being measured.")
        return
    source = Source(case.finding)
    if event.effect is None:
        yield say("The size of its gain is not known: there were no further fresh pairs.")
        return
    rule = case.confirmations[-1].event
    if isinstance(rule, ConfirmationOpened):
        yield say(_CLAIMED[rule.claim])
    yield say(
        "On ", source.figure("pairs"), " further fresh pairs, which the verdict did not use, the gain was ",
        source.gain("effect"), *bounds(source, event.interval), ".",
    )  # fmt: skip
    if event.interval:
        yield from _meaning(case, event.interval)


def bounds(source: Source, interval: tuple[float, float] | None) -> tuple[Part, ...]:
    """An interval in words."""
    if interval is None:
        return ("; these are too few to bound it",)
    level, low, high = source.figure("level"), source.gain("interval.0"), source.gain("interval.1")
    return (" (interval at level ", level, ": ", low, " to ", high, ")")


def _meaning(case: Case, interval: tuple[float, float]) -> Iterator[Sentence]:
    """What an interval says of the claim and of the prediction."""
    low, high = interval
    claim, source = case.claim, Source(case.registered)
    if high < 0:
        yield say("All of this interval lies below zero, which speaks against the claim.")
    elif low <= 0:
        yield say("This interval includes zero: these pairs by themselves do not show a gain.")
    elif claim.delta and low <= claim.delta:
        yield say(
            "All of this interval lies above zero, not all of it above the smallest gain worth having, ",
            source.figure("delta"), ".",
        )  # fmt: skip
    elif claim.delta:
        yield say(
            "All of this interval lies above the smallest gain worth having, ", source.figure("delta"), "."
        )  # fmt: skip
    else:
        yield say("All of this interval lies above zero.")
    if claim.effect:
        where = "below" if claim.effect < low else "above" if claim.effect > high else "within"
        yield say("The gain that its author expected, ", source.figure("effect"), f", lies {where} this interval.")
