"""The analyst: what the record says of a hypothesis, in plain words, by rules alone.

Nothing is measured or decided here, and nothing is said that no event says: each number is one of an event, which it
names, and what is concluded from several of them is said without a number.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from novum.core.events.campaign import CampaignOpened, IncumbentChanged
from novum.core.events.oversight import ProposalReviewed
from novum.core.events.proposals import HypothesisSuperseded, HypothesisWithdrawn
from novum.core.events.trials import CandidateTuned, ScaleMeasured, TrialFinished
from novum.core.model.arena_spec import one_distribution
from novum.core.model.candidate import Cost, Genome, Scalar
from novum.core.model.metric import gain
from novum.report import follow_up_narrative, outcome
from novum.report.cited import LONGEST, Interpretation, Name, Part, Sentence, Source, say
from novum.views.candidate_changes import change_words, is_program
from novum.views.index.case_index import Case, CaseIndex

GENES = 8
"""Changed genes that are named."""

MARKS = 6
"""Remarks and interventions that are told, the first ones."""


def interpret(book: CaseIndex, name: str) -> Interpretation:
    """What the record says of a hypothesis by now. Raises KeyError for a name that is none."""
    case = book.cases[name]
    return Interpretation(name, tuple(_sentences(book, case)))


def _sentences(book: CaseIndex, case: Case) -> Iterator[Sentence]:
    yield from _claim(book, case)
    yield from _screening(book, case)
    yield from _marks(book, case)
    if not case.confirmations:
        yield from _unconfirmed(case)
    for opened in case.confirmations:
        yield from outcome.confirmation(case, opened)
    yield from outcome.size(case)
    yield from follow_up_narrative.further(book, case)
    yield from _cost(book, case)


def _claim(book: CaseIndex, case: Case) -> Iterator[Sentence]:
    source, claim = Source(case.registered), case.claim
    beyond: tuple[Part, ...] = (" by more than ", source.figure("delta")) if claim.delta else ()
    incumbent = book.incumbents.get(claim.incumbent)
    ground = book.ground(case)
    other: tuple[Part, ...] = ("the baseline",)
    if ground:
        other = ("the candidate of ", Source(ground.registered).name("id"))
    if claim.delta < 0:
        yield say(
            source.name("id"), ", a smaller form of ", *other, ", claims to keep its gain on ", source.name("metric"),
            " to within ", source.figure("delta"), ".",
        )  # fmt: skip
    else:
        yield say(
            source.name("id"), ", proposed by ", source.name("author"), ", claims to beat ", *other, " on ",
            source.name("metric"), *beyond, ".",
        )  # fmt: skip
    if incumbent and isinstance(incumbent.event, IncumbentChanged):
        changed = list(_changes(source, Source(incumbent), claim.candidate.genome, incumbent.event.candidate.genome))
        study = book.opened.event.study if book.opened and isinstance(book.opened.event, CampaignOpened) else None
        if is_program(study):
            words = change_words(study, claim.candidate.genome, incumbent.event.candidate.genome, LONGEST)
            yield say("It changes ", Name(words, case.registered.seq, "candidate.genome"), ".")
        elif changed:
            yield say("It changes ", *(part for parts in changed for part in parts), ".")
    predicted: tuple[Part, ...] = (", and named no size.",)
    if claim.effect:
        predicted = (", and expected a gain of ", source.figure("effect"), ".")
    yield say("Its author gave it a chance of ", source.figure("probability"), " to be supported", *predicted)


def _changes(mine: Source, other: Source, candidate: Genome, incumbent: Genome) -> Iterator[tuple[Part, ...]]:
    names = [name for name in {**candidate, **incumbent} if candidate.get(name) != incumbent.get(name)]
    for number, name in enumerate(names[:GENES]):
        where = mine if name in candidate else other
        lead: Part = ", " if number else ""
        old, new = (_value(source, genome, name) for source, genome in ((other, incumbent), (mine, candidate)))
        ends: tuple[Part, ...] = (" from ", old, " to ", new) if old != "text" and new != "text" else ()
        yield (lead, where.key("candidate.genome", name), *ends)
    if len(names) > GENES:
        yield (" and others",)


def _value(source: Source, genome: Genome, name: str) -> Part:
    """A gene's value; "text" for the file of a program, which is not written out."""
    value: Scalar | None = genome.get(name)
    path = f"candidate.genome.{name}"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return source.name(path)
    if isinstance(value, str):
        return "text" if "\n" in value else source.name(path, 80)
    return source.figure(path)


def _screening(book: CaseIndex, case: Case) -> Iterator[Sentence]:
    record = book.tuned.get(case.claim.candidate.id)
    if record is None or not isinstance(record.event, CandidateTuned):
        yield say("Its screening has not come to its end.")
        return
    source = Source(record)
    if record.event.score is None:
        yield say(
            "In screening no setting gave a score on each of its search seeds (", source.figure("seeds"), ")",
            *_first_failure(book, case), ".",
        )  # fmt: skip
        return
    level = _level(book, case.claim.incumbent)
    if level is None:
        yield say("In screening it scored ", *_mean(source), ".")
        return
    other, path = level
    above = gain(
        record.event.score, float(other.value(path)), higher_is_better=case.claim.higher_is_better, log=_log(book)
    )
    words = "better" if above > 0 else "worse" if above < 0 else "the same"
    yield say(
        "In screening it scored ", *_mean(source), ", and the level of its incumbent is ", other.figure(path),
        f", so that it looked {words}.",
    )  # fmt: skip
    yield from _doubt(book, case, above, record.event.seeds)


def _mean(source: Source) -> tuple[Part, ...]:
    """A screening score."""
    return (source.figure("score"), " on average over its search seeds (", source.figure("seeds"), ")")


def _first_failure(book: CaseIndex, case: Case) -> tuple[Part, ...]:
    record = book.failures.get(case.claim.candidate.id)
    if record is None or not isinstance(record.event, TrialFinished):
        return ()
    source = Source(record)
    cause: tuple[Part, ...] = (", ", source.name("cause", 160)) if record.event.cause else ()
    return ("; the first failure: ", source.name("kind"), *cause)


def _level(book: CaseIndex, incumbent: str) -> tuple[Source, str] | None:
    """What screening gains are held against: the mean of fresh runs where they can be compared, else a sweep's."""
    opened = book.opened.event if book.opened else None
    assert isinstance(opened, CampaignOpened)
    comparable = opened.study.screening.fidelity == 1.0 and one_distribution(opened.card)
    if comparable and incumbent in book.scales:
        return Source(book.scales[incumbent]), "mean"
    tuned = book.tuned.get(incumbent)
    if tuned and isinstance(tuned.event, CandidateTuned) and tuned.event.score is not None:
        return Source(tuned), "score"
    return None


def _log(book: CaseIndex) -> bool:
    opened = book.opened.event if book.opened else None
    return isinstance(opened, CampaignOpened) and opened.card.log


def _doubt(book: CaseIndex, case: Case, above: float, seeds: int) -> Iterator[Sentence]:
    """How much of a screening gain may be chance."""
    scale = book.scales.get(case.claim.incumbent)
    if scale is None or not isinstance(scale.event, ScaleMeasured):
        yield say("Screening is no evidence.")
        return
    error = scale.event.sigma / math.sqrt(2 * max(1, seeds))
    words = "larger" if abs(above) > error else "no larger"
    yield say(
        "By chance alone two runs of its incumbent differ with a standard deviation of ",
        Source(scale).figure("sigma"),
        f"; the difference in screening is {words} than its standard error. It is no evidence.",
    )  # fmt: skip


def _marks(book: CaseIndex, case: Case) -> Iterator[Sentence]:
    """What the critic and the watchdog said."""
    review = book.reviews.get(case.claim.number)
    if review and isinstance(review.event, ProposalReviewed):
        for number in range(min(MARKS, len(review.event.remarks))):
            path = f"remarks.{number}"
            source = Source(review)
            yield say(
                "Before any trial the critic remarked (", source.name(f"{path}.check"), "): ",
                source.name(f"{path}.words"), ".",
            )  # fmt: skip
    for record in book.watchdog.get(case.claim.id, [])[:MARKS]:
        source = Source(record)
        yield say("The watchdog (", source.name("step"), "): ", source.name("words"), ".")


def _unconfirmed(case: Case) -> Iterator[Sentence]:
    """Why there is no verdict."""
    event = case.closed.event if case.closed else None
    if case.closed and isinstance(event, HypothesisWithdrawn):
        yield say("It was withdrawn before any confirming trial: ", Source(case.closed).name("reason"), ".")
    elif case.closed and isinstance(event, HypothesisSuperseded):
        again: tuple[Part, ...] = ()
        if event.successor:
            again = ("; the same claim was made anew as ", Source(case.closed).name("successor"))
        yield say("Its incumbent was replaced before it was confirmed", *again, ".")
    else:
        yield say("It has not been confirmed, so nothing has been shown of it.")


def _cost(book: CaseIndex, case: Case) -> Iterator[Sentence]:
    """What both sides cost by construction."""
    mine, record = Source(case.registered), book.incumbents.get(case.claim.incumbent)
    if record is None or not isinstance(record.event, IncumbentChanged):
        return
    other = Source(record)
    if Cost() in (case.claim.cost, record.event.cost):
        return  # an arena that cannot know says zero everywhere
    if case.claim.cost == record.event.cost:
        yield say("By construction it has as many parameters, floats of state and FLOP a trial as its incumbent.")
        return
    for field, words in (("parameters", "parameters"), ("state_floats", "floats of state"), ("flop", "FLOP a trial")):
        if mine.value(f"cost.{field}") != other.value(f"cost.{field}"):
            yield say(
                "By construction its number of ", f"{words} is ", mine.figure(f"cost.{field}"), ", its incumbent's ",
                other.figure(f"cost.{field}"), ".",
            )  # fmt: skip
