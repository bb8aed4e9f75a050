"""From the state of a lab to what an agent is told. Text of others is cleaned, cut and marked; seeds are never told."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime

from novum.core.model.candidate import CandidateSpace, Genome, Scalar, Space
from novum.core.model.study import ScreeningSettings
from novum.core.model.trial_plan import Purpose
from novum.core.state.campaign_state import CampaignState
from novum.core.state.finding_grade import grade
from novum.core.state.hypothesis import Hypothesis
from novum.core.state.study_views.research_history import cost
from novum.ledger.journal import is_held
from novum.mcp import answers
from novum.mcp.lab_reader import LabReader, Line
from novum.report.explained import Explanation
from novum.source.space import SourceSpace
from novum.text.format import clean, cut
from novum.views.campaign_summary import findings
from novum.views.candidate_changes import change_words
from novum.views.finding_views.finding_details import FollowUpLine, follow_ups, remarked
from novum.views.hypothesis_status import hypothesis_status
from novum.views.record_search import FailureLine, FailureQuery, failures, grouped

TEXT = 600
"""Characters of a free text that somebody else wrote."""

FILE = 60_000
"""Characters of a file."""

_GENES = (
    'Call propose with genome = {gene: choice, ...}: the incumbent with these genes changed, or base="h7" for another.'
)
_FILES = (
    "Call propose with files = {path: whole new text}, or with edits = search/replace blocks: the path on a line, then "
    '<<<<<<< SEARCH, the old text, =======, the new, >>>>>>> REPLACE. They apply to the incumbent, or to base="h7".'
)


def _confirmed_next(screening: ScreeningSettings) -> str:
    if screening.patience:
        return (
            f"the best screened candidate, when {screening.patience} in a row were no better, or when what is left of "
            "the budget is needed for it"
        )
    return f"the best that waits, one in {screening.keep_one_in} screened candidates"


def quoted(text: str, length: int = TEXT) -> str:
    """Somebody else's words, in one line between marks that they cannot close."""
    line = cut(text, length).replace("«", "‹").replace("»", "›")
    return f"«{line}»" if line else ""


def study(reader: LabReader, state: CampaignState, space: CandidateSpace | None) -> answers.Study:
    """The study; `space` is None for an arena that is not Novum's own."""
    study, spec = state.study, state.spec
    incumbent = state.incumbent
    genes, files, folders = _space(space, incumbent.candidate.genome)
    return answers.Study(
        name=study.name,
        question=quoted(study.question or spec.question),
        arena=study.arena,
        about=quoted(spec.summary),
        metric=clean(spec.metric),
        higher_is_better=spec.higher_is_better,
        gains_are="differences of logarithms" if spec.log else "differences in the metric; positive is better",
        rules=answers.Rules(
            study.gate.alpha,
            study.gate.delta,
            study.gate.max_pairs,
            study.screening.seeds,
            _confirmed_next(study.screening),
        ),
        running=is_held(reader.directory),
        paused=state.request_log.paused,
        budget_left=_left(reader, state),
        incumbent=genome(incumbent.candidate.genome),
        incumbent_from=incumbent.hypothesis or "the baseline",
        genes=genes,
        files=files,
        new_files_in=folders,
        how_to_propose=_FILES if files else _GENES,
    )


def _space(space: CandidateSpace | None, incumbent: Genome) -> tuple[list[answers.Gene], list[answers.File], list[str]]:
    if isinstance(space, SourceSpace):
        texts = {path: space.text(incumbent, path) for path in {**space.base, **incumbent}}
        files = [answers.File(path, clean(text)[:FILE], len(text) <= FILE) for path, text in sorted(texts.items())]
        return [], files, [folder or "." for folder in space.creatable]
    known: object = space
    if isinstance(known, Space):
        return [answers.Gene(gene.name, list(gene.choices), clean(gene.doc)) for gene in known.genes], [], []
    return [], [], []


def _left(reader: LabReader, state: CampaignState) -> answers.Left:
    used, budget = state.spent, state.budget
    passed = max(0.0, time.time() - reader.latest / 1e6) if state.session_open and is_held(reader.directory) else 0.0
    wall = None if budget.wall_seconds is None else max(0.0, budget.wall_seconds - state.wall_seconds - passed)
    return answers.Left(
        None if budget.trials is None else max(0, budget.trials - used.trials),
        None if budget.cpu_seconds is None else round(max(0.0, budget.cpu_seconds - used.cpu_seconds), 3),
        None if wall is None else round(wall, 1),
    )


def genome(values: Genome) -> dict[str, Scalar]:
    """A genome, long texts cut."""
    return {clean(name): clean(value)[:FILE] if isinstance(value, str) else value for name, value in values.items()}


def change(state: CampaignState, one: Hypothesis) -> str:
    """What a candidate changes in its incumbent."""
    return quoted(
        change_words(state.study, one.candidate.genome, state.candidates[one.registered.incumbent].genome, 300), 320
    )


def found(state: CampaignState) -> answers.Findings:
    """The findings."""
    return answers.Findings(
        [
            answers.Finding(
                hypothesis=one.id,
                author=state.hypotheses[one.id].registered.author,
                change=change(state, state.hypotheses[one.id]),
                effect=one.effect,
                interval=list(one.interval) if one.interval else None,
                e_value=one.e_value,
                threshold=one.threshold,
                pairs=one.n,
                grade=one.grade.partition(":")[0],
                withdrawn=state.hypotheses[one.id].retracted,
                asked_further=[_asked(line) for line in follow_ups(state.hypotheses[one.id])],
            )
            for one in findings(state)
        ]
    )


def _asked(line: FollowUpLine) -> str:
    return clean(f"{line.aim} {line.about}: {line.verdict} after {line.n} pairs")


def claims(state: CampaignState, last: int, outcome: str, author: str) -> answers.Claims:
    """The latest hypotheses with an outcome, by an author."""
    theirs = [one for one in state.hypotheses.values() if author in ("", one.registered.author)]
    fitting = [one for one in theirs if hypothesis_status(state, one).outcome == outcome] if outcome else theirs
    shown = [_claim(state, one) for one in fitting[-last:]]
    return answers.Claims(shown, max(0, len(fitting) - last))


def _claim(state: CampaignState, one: Hypothesis) -> answers.Claim:
    now = hypothesis_status(state, one)
    return answers.Claim(
        one.id,
        one.registered.author,
        change(state, one),
        now.outcome,
        quoted(now.reason),
        state.advantage(one),
    )


def detail(state: CampaignState, one: Hypothesis, told: Explanation) -> answers.Detail:
    """Everything about one hypothesis but its single runs."""
    claim, verdict, size, now = one.registered, one.verdict, one.finding, hypothesis_status(state, one)
    trials, cpu = cost(state, one)
    return answers.Detail(
        hypothesis=one.id,
        author=claim.author,
        change=change(state, one),
        rationale=quoted(claim.rationale, 2000),
        parents=list(claim.parents),
        predicted_probability=claim.probability,
        expected_effect=claim.effect,
        outcome=now.outcome,
        reason=quoted(now.reason),
        advantage=state.advantage(one),
        e_value=verdict.e_value if verdict else None,
        threshold=verdict.threshold if verdict else None,
        pairs=verdict.pairs if verdict else len(one.pairs()),
        effect=size.effect if size else None,
        interval=list(size.interval) if size and size.interval else None,
        grade=grade(one).partition(":")[0] if size else "",
        trials=trials,
        cpu_seconds=round(cpu, 3),
        candidate=genome(claim.candidate.genome),
        remarks=[quoted(words) for words in remarked(state, claim.number)],
        explained=[quoted(sentence.cited) for sentence in told.interpretation.sentences],
        comments=[f"{cut(said.author, 60)}: {quoted(said.text)}" for said in told.comments],
    )


def failed(state: CampaignState, kind: str, cause: str, most: int) -> answers.Failures:
    """Failures by type and cause. What a run on the gate's data printed stays with the people of the lab."""
    told = [_told(line) for line in failures(state, FailureQuery(kind=kind))]
    told = [line for line in told if cause.casefold() in line.cause.casefold()]
    groups = [
        answers.Failure(
            str(one.kind), quoted(one.cause), one.count, round(one.cpu_seconds, 3), list(one.purposes), one.example
        )
        for one in grouped(told)
    ]
    return answers.Failures(groups[:most], len(told))


def _told(line: FailureLine) -> FailureLine:
    if line.purpose is Purpose.SCREEN:
        return line
    return FailureLine(
        line.trial, line.kind, "withheld", line.purpose, line.subject, line.candidate, line.cpu_seconds, "", line.arena
    )


def log(lines: Iterable[Line], last: int, grep: str) -> answers.Log:
    """The latest events with a text in them."""
    fitting = [line for line in lines if grep.casefold() in line.words.casefold()]
    return answers.Log(
        [
            answers.Happening(
                line.seq,
                datetime.fromtimestamp(line.time / 1e6, UTC).isoformat(timespec="seconds"),
                cut(line.actor, 60),
                line.kind,
                quoted(line.words),
            )
            for line in fitting[-last:]
        ]
    )


def table(reader: LabReader) -> answers.Table:
    """The league."""
    return answers.Table(
        [
            answers.Author(
                cut(line.author, 60),
                line.proposals,
                line.supported,
                line.refuted,
                line.retracted,
                round(line.cpu_seconds, 3),
                line.confirmed_gain,
                line.gain_per_cpu_hour,
                line.brier,
                line.reference,
            )
            for line in reader.index.authors.leaderboard().lines
        ]
    )
