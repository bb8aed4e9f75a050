"""A campaign in one object: what `novum run --json` prints."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from html import escape

from novum.core.events.verdicts import ConfirmationOpened
from novum.core.model.candidate import Cost, Genome, Setting
from novum.core.model.metric import compute_name
from novum.core.model.trial_plan import Side
from novum.core.model.verdict import Verdict
from novum.core.state.campaign_state import CampaignState
from novum.core.state.finding_grade import grade
from novum.core.state.hypothesis import Hypothesis
from novum.text.format import cut
from novum.views.candidate_changes import change_words
from novum.views.finding_views.claim_text import TailLine, claim_text, tail_line
from novum.views.finding_views.finding_details import (
    Exploratory,
    FollowUpLine,
    GuardLine,
    HoldoutLine,
    Tuning,
    exploratory,
    follow_ups,
    guardrails,
    holdout_line,
    on_final_data,
    promised,
    remarked,
    suspicion,
    tuning,
)
from novum.views.finding_views.finding_size import size_of
from novum.views.finding_views.more_of_the_same import MoreOfTheSame, more_of_the_same
from novum.views.finding_views.same_every_time import same_every_time
from novum.views.hypothesis_status import FAILED, hypothesis_status
from novum.views.screening_correlation import Proxy, proxy

OWN_SCORER = "scored in the lab"


@dataclass(frozen=True, slots=True)
class Finding:
    """A supported hypothesis with its evidence and size.

    effect in metric units, positive is better, with an `interval` at `level`, from
    `effect_pairs` fresh pairs. When the budget ended before these, both come from all pairs, which overstates, and
    `effect_source` says so. cpu_seconds: mean over the full-length runs of each side, one thread.
    """

    id: str
    candidate: Genome
    incumbent: Genome
    e_value: float
    threshold: float
    n: int
    effect: float | None
    interval: tuple[float, float] | None
    level: float
    effect_pairs: int
    effect_source: str
    delta: float
    crashes: int
    candidate_id: str
    incumbent_id: str
    candidate_setting: Setting
    incumbent_setting: Setting
    candidate_cost: Cost
    incumbent_cost: Cost | None
    candidate_cpu_seconds: float | None
    incumbent_cpu_seconds: float | None
    grade: str
    metric: str
    candidate_tuning: Tuning
    incumbent_tuning: Tuning
    guardrails: tuple[GuardLine, ...]
    follow_ups: tuple[FollowUpLine, ...]
    holdout: str
    author: str
    rationale: str
    """This and `author`: of the proposal."""
    trust: str
    """Whose word its scores are."""
    isolation: str
    """The walls around its trials (of the last session)."""
    suspicion: str = ""
    """Why the watchdog called it too good to be true, empty where it did not."""
    remarks: tuple[str, ...] = ()
    """What the critic said before any trial."""
    claim: str = ""
    """What it is about: the mean gain or a typical one, in words."""
    more: MoreOfTheSame | None = None
    """What more runs of the incumbent would reach at its cost."""
    tail: TailLine | None = None
    """What its runs say of its losses."""
    change: str = ""
    """What the candidate changes in its incumbent: genes, or the values and lines of a program."""
    promised: tuple[str, ...] = ()
    """What it was promised to be asked and has not been asked yet."""
    compute: str = "CPU time"
    """What compute is here: CPU time, or GPU time where trials hold GPUs."""
    same_every_time: str = ""
    """A sentence, where its runs do not differ from seed to seed."""


@dataclass(frozen=True, slots=True, repr=False)
class Summary:
    """Counts of a campaign so far; hypotheses = supported + refuted + inconclusive + failed.

    In a notebook it shows itself as a table of its findings.
    """

    study: str
    trials: int
    hypotheses: int
    supported: int
    refuted: int
    inconclusive: int
    failed: int
    cpu_seconds: float
    findings: tuple[Finding, ...]
    wall_seconds: float
    refused: int
    failures: dict[str, int]
    reason: str
    seed: int
    proxy: Proxy
    exploratory: tuple[Exploratory, ...]
    holdout: HoldoutLine | None
    preflight_trials: int
    preflight: str

    def __repr__(self) -> str:
        counts = f"{self.supported} supported, {self.refuted} refuted, {self.inconclusive} inconclusive, "
        found = "".join(f"\n  {_line(one)}" for one in self.findings)
        return (
            f"<{self.study}: {self.hypotheses} hypotheses in {self.trials} trials: {counts}{self.failed} failed{found}>"
        )

    def _repr_html_(self) -> str:
        """The same for a notebook."""
        head = f"{self.hypotheses} hypotheses in {self.trials} trials, {self.supported} supported"
        cells = "".join(
            f"<tr><td>{escape(one.id)}</td><td>{escape(one.grade)}</td><td>{escape(_change(one))}</td>"
            f"<td>{_size(one)}</td><td>{one.e_value:.3g} of {one.threshold:.3g}</td><td>{one.n}</td></tr>"
            for one in self.findings
        )
        names = "".join(f"<th>{name}</th>" for name in ("finding", "grade", "change", "effect", "E", "pairs"))
        return f"<p><b>{escape(self.study)}</b>: {head}</p><table><tr>{names}</tr>{cells}</table>"


def _change(one: Finding) -> str:
    return cut(one.change, 60)


def _size(one: Finding) -> str:
    if one.effect is None:
        return "not measured"
    return f"{one.effect:+.3g}" + (f" ({one.interval[0]:+.3g} to {one.interval[1]:+.3g})" if one.interval else "")


def _line(one: Finding) -> str:
    return (
        f"{one.id} {one.grade}: {_change(one)}, {_size(one)} {one.metric}, E {one.e_value:.3g} of {one.threshold:.3g}"
    )


def summarise(state: CampaignState) -> Summary:
    """The summary of a state that has a campaign."""
    counts = Counter(hypothesis_status(state, hypothesis).outcome for hypothesis in state.hypotheses.values())
    return Summary(
        study=state.study.name,
        trials=state.trials,
        hypotheses=len(state.hypotheses),
        supported=counts[Verdict.SUPPORTED],
        refuted=counts[Verdict.REFUTED],
        inconclusive=counts[Verdict.INCONCLUSIVE],
        failed=counts[FAILED],
        cpu_seconds=round(state.cpu_seconds_in_all, 3),
        findings=tuple(findings(state)),
        wall_seconds=round(state.wall_seconds, 3),
        refused=state.refused,
        failures={str(kind): n for kind, n in sorted(state.outcomes.items()) if kind != "scored"},
        reason=state.end_reason,
        seed=state.study.seed,
        proxy=proxy(state),
        exploratory=tuple(exploratory(state)),
        holdout=holdout_line(state),
        preflight_trials=state.set_aside.trials,
        preflight=state.preflight.conclusion if state.preflight else "",
    )


def findings(state: CampaignState) -> list[Finding]:
    """Supported hypotheses in the order of their verdicts."""
    costs = {change.candidate.id: change.cost for change in state.incumbents}
    return [
        _finding(state, hypothesis, hypothesis.rule, costs.get(hypothesis.rule.incumbent.id))
        for hypothesis in state.hypotheses.values()
        if hypothesis.rule and hypothesis.verdict and hypothesis.verdict.verdict is Verdict.SUPPORTED
    ]


def _mean_cpu(hypothesis: Hypothesis, side: Side) -> float | None:
    seconds = [run.cpu_seconds for run in hypothesis.runs[side].values() if run.score is not None]
    return round(sum(seconds) / len(seconds), 4) if seconds else None


def _finding(
    state: CampaignState, hypothesis: Hypothesis, rule: ConfirmationOpened, incumbent_cost: Cost | None
) -> Finding:
    verdict = hypothesis.verdict
    assert verdict
    size = size_of(state, hypothesis, rule)
    return Finding(
        id=hypothesis.id,
        candidate=dict(rule.candidate.genome),
        incumbent=dict(rule.incumbent.genome),
        change=change_words(state.study, rule.candidate.genome, rule.incumbent.genome, 300),
        e_value=verdict.e_value,
        threshold=verdict.threshold,
        n=verdict.pairs,
        effect=size.effect,
        interval=size.interval,
        level=size.level,
        effect_pairs=size.pairs,
        effect_source="fresh pairs" if size.fresh else "pairs, the confirming ones included, which overstate",
        delta=rule.delta,
        crashes=verdict.crashes,
        candidate_id=rule.candidate.id,
        incumbent_id=rule.incumbent.id,
        candidate_setting=dict(rule.candidate_setting),
        incumbent_setting=dict(rule.incumbent_setting),
        candidate_cost=hypothesis.registered.cost,
        incumbent_cost=incumbent_cost,
        compute=compute_name(hypothesis.gpus),
        candidate_cpu_seconds=_mean_cpu(hypothesis, Side.CANDIDATE),
        incumbent_cpu_seconds=_mean_cpu(hypothesis, Side.INCUMBENT),
        grade=grade(hypothesis),
        metric=rule.metric,
        candidate_tuning=tuning(state, rule.candidate.id),
        incumbent_tuning=tuning(state, rule.incumbent.id),
        guardrails=guardrails(hypothesis),
        follow_ups=follow_ups(hypothesis),
        holdout=on_final_data(state, hypothesis),
        author=hypothesis.registered.author,
        rationale=hypothesis.registered.rationale,
        trust=state.spec.trust or OWN_SCORER,
        isolation=state.provenance.isolation if state.provenance else "",
        suspicion=suspicion(state, hypothesis),
        remarks=remarked(state, hypothesis.registered.number),
        claim=claim_text(rule),
        tail=tail_line(state, hypothesis, rule),
        more=more_of_the_same(state, hypothesis, rule),
        promised=promised(state, hypothesis),
        same_every_time=same_every_time(hypothesis),
    )
