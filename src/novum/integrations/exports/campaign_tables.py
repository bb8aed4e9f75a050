"""The tables of a campaign. Column names say what is in them; units are those of the record.

Seconds and bytes are plain numbers, scores and effects are in the arena's metric (effects positive when better), a
trial's CPU seconds are its share of its group's, and wall seconds and peak bytes are the group's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from novum.core.events.trials import TrialFinished
from novum.core.model.trial import OutcomeKind
from novum.core.model.trial_plan import Purpose, Side
from novum.core.model.verdict import Verdict
from novum.core.state.finding_grade import grade
from novum.core.state.hypothesis import FollowUp, Hypothesis
from novum.integrations.exports.tables import Form, Row, Table, Value, moment, spread, table
from novum.lab.restore import read_index
from novum.views.finding_views.finding_size import size_of
from novum.views.hypothesis_status import hypothesis_status
from novum.views.index.campaign_index import CampaignIndex
from novum.views.index.confirmation_log import Confirmation

SIDES: Mapping[Side, str] = {Side.CANDIDATE: "candidate", Side.INCUMBENT: "incumbent"}
FRESH = (Purpose.CONFIRM, Purpose.ESTIMATE)

_TRIAL: Mapping[str, Form] = {
    "seq": int, "time": datetime, "trial": str, "group": str, "session": int, "purpose": str, "subject": str,
    "side": str, "attempt": int, "seed_index": int, "fidelity": float, "candidate_id": str, "outcome": str,
    "score": float, "cause": str, "cpu_seconds": float, "wall_seconds": float, "peak_bytes": int, "elapsed": float,
    "artefact": str,
}  # fmt: skip
_FAILURE: Mapping[str, Form] = {name: form for name, form in _TRIAL.items() if name not in ("score", "artefact")}
_FACT: Mapping[str, Form] = {"trial": str, "name": str, "value": float}
_EVIDENCE: Mapping[str, Form] = {"pairs": int, "e_value": float, "threshold": float, "against": float, "crashes": int}
_SIZE: Mapping[str, Form] = {
    "effect": float, "effect_low": float, "effect_high": float, "effect_level": float, "effect_pairs": int,
    "effect_fresh": bool,
}  # fmt: skip
_COST: Mapping[str, Form] = {"parameters": int, "state_floats": int, "flop": float}
_HYPOTHESIS: Mapping[str, Form] = {
    "id": str, "registered": datetime, "author": str, "parents": str, "candidate_id": str, "incumbent_id": str,
    "metric": str, "higher_is_better": bool, "delta": float, "predicted_probability": float, "predicted_effect": float,
    "outcome": str, "phase": str, "reason": str, "grade": str, "screening_score": float, "screening_seeds": int,
    "screening_advantage": float, "attempts": int, **_EVIDENCE, **_SIZE, "final_data": bool,
    "screening_trials": int, "screening_cpu_seconds": float, "fresh_trials": int, "fresh_cpu_seconds": float,
    **_COST, "rationale": str,
}  # fmt: skip
_CONFIRMATION: Mapping[str, Form] = {
    "hypothesis": str, "attempt": int, "opened": datetime, "closed": datetime, "candidate_id": str,
    "incumbent_id": str, "process": str, "metric": str, "delta": float, "scale": float, "sigma": float, "dmin": float,
    "alpha": float, "beta": float, "max_pairs": int, "position": int, "stake": float, "verdict": str, "reason": str,
    **_EVIDENCE, "mean": float, "refund": float, "cash": float, "discoveries": int,
}  # fmt: skip
_PAIR: Mapping[str, Form] = {
    "hypothesis": str, "question": str, "attempt": int, "pair": int, "candidate": float, "incumbent": float,
}  # fmt: skip
_FINDING: Mapping[str, Form] = {
    "id": str, "found": datetime, "grade": str, "metric": str, "delta": float, "candidate_id": str,
    "incumbent_id": str, **_EVIDENCE, **_SIZE, "final_data": bool, **_COST,
}  # fmt: skip
_FOLLOW_UP: Mapping[str, Form] = {
    "hypothesis": str, "number": int, "aim": str, "about": str, "opened": datetime, "closed": datetime, "metric": str,
    "candidate_id": str, "rival_id": str, "verdict": str, "reason": str, **_EVIDENCE, "effect": float,
    "effect_low": float, "effect_high": float, "effect_level": float, "stake": float,
}  # fmt: skip
_INCUMBENT: Mapping[str, Form] = {"time": datetime, "candidate_id": str, "hypothesis": str, **_COST}


def tables(lab: str | Path) -> dict[str, dict[str, list[Value]]]:
    """The tables of a lab, column by column, as data frames take them: `pandas.DataFrame(novum.tables(lab)["trials"])`.

    trials, failures, facts, hypotheses, confirmations, pairs, findings, follow_ups and incumbents.
    Raises IntegrityError, UserError where there is no campaign.
    """
    found = sheets(read_index(lab))
    return {one.name: {c.name: [row[i] for row in one.rows] for i, c in enumerate(one.columns)} for one in found}


def sheets(found: CampaignIndex) -> list[Table]:
    """All tables of a campaign; those without rows have their columns all the same."""
    trials = list(_trials(found))
    hypotheses = found.state.hypotheses.values()
    supported = [one for one in hypotheses if one.verdict and one.verdict.verdict is Verdict.SUPPORTED]
    return [
        table("trials", _TRIAL, trials),
        table("failures", _FAILURE, [_without_score(row) for row in trials if row["outcome"] != OutcomeKind.SCORED]),
        table("facts", _FACT, _facts(found)),
        table("hypotheses", _HYPOTHESIS, [_hypothesis(found, one) for one in hypotheses]),
        table(
            "confirmations",
            _CONFIRMATION,
            [_confirmation(a) for one in hypotheses for a in found.confirmations.of(one)],
        ),
        table("pairs", _PAIR, (row for one in hypotheses for row in _pairs(found, one))),
        table("findings", _FINDING, [_finding(found, one) for one in supported]),
        table("follow_ups", _FOLLOW_UP, [_follow_up(found, f) for one in hypotheses for f in one.follow_ups]),
        table("incumbents", _INCUMBENT, _incumbents(found)),
    ]


def _trials(found: CampaignIndex) -> Iterator[Row]:
    for trial in found.trials.rows:
        event, plan = trial.outcome, trial.plan
        member = plan.members[event.member]
        yield {
            "seq": trial.seq,
            "time": moment(trial.time),
            "trial": event.trial,
            "group": event.group,
            "session": trial.session,
            "purpose": plan.purpose,
            "subject": plan.subject,
            "side": SIDES[plan.side],
            "attempt": plan.attempt,
            "seed_index": member.index,
            "fidelity": plan.fidelity,
            "candidate_id": plan.candidate.id,
            "outcome": event.kind,
            **_measured(event),
            **spread("setting", member.setting),
            **spread("option", plan.options),
            **spread("gene", plan.candidate.genome),
        }


def _measured(event: TrialFinished) -> Row:
    return {
        "score": event.score,
        "cause": event.cause,
        "cpu_seconds": event.cpu_seconds,
        "wall_seconds": event.wall_seconds,
        "peak_bytes": event.peak_bytes,
        "elapsed": event.elapsed,
        "artefact": event.artefact,
        **spread("metric", event.others),
    }


def _without_score(row: Row) -> Row:
    return {name: value for name, value in row.items() if name in _FAILURE or name.startswith(("gene_", "setting_"))}


def _facts(found: CampaignIndex) -> Iterator[Row]:
    """Remarks of the workers, a row each: their names are the workers' own, and may be any number."""
    for trial in found.trials.rows:
        for name, value in trial.outcome.facts.items():
            yield {"trial": trial.outcome.trial, "name": name, "value": value}


def _hypothesis(found: CampaignIndex, one: Hypothesis) -> Row:
    claim, state = one.registered, found.state
    tuned = state.tuned.get(one.candidate.id)
    screening, screening_cpu = found.trials.cost_of(one.candidate.id, Purpose.SCREEN)
    fresh, fresh_cpu = found.trials.cost_of(one.id, *FRESH)
    return {
        "id": one.id,
        "registered": moment(found.trials.times[one.id]),
        "author": claim.author,
        "parents": " ".join(claim.parents),
        "candidate_id": one.candidate.id,
        "incumbent_id": claim.incumbent,
        "metric": claim.metric,
        "higher_is_better": claim.higher_is_better,
        "delta": claim.delta,
        "predicted_probability": claim.probability,
        "predicted_effect": claim.effect,
        "outcome": hypothesis_status(found.state, one).outcome,
        "phase": one.phase,
        "screening_score": tuned.score if tuned else None,
        "screening_seeds": tuned.seeds if tuned else 0,
        "screening_advantage": state.advantage(one),
        "attempts": one.attempt,
        **_judged(found, one),
        "screening_trials": screening,
        "screening_cpu_seconds": screening_cpu,
        "fresh_trials": fresh,
        "fresh_cpu_seconds": fresh_cpu,
        **_cost(one),
        "rationale": claim.rationale,
        **spread("setting", tuned.setting if tuned else {}),
        **spread("gene", one.candidate.genome),
    }


def _judged(found: CampaignIndex, one: Hypothesis) -> Row:
    """The latest verdict on a claim, its evidence, and the size of a supported one."""
    verdict = one.verdict
    if verdict is None:
        return {}
    said: dict[str, Value] = {
        "reason": verdict.reason,
        "pairs": verdict.pairs,
        "e_value": verdict.e_value,
        "threshold": verdict.threshold,
        "against": verdict.against,
        "crashes": verdict.crashes,
    }
    if verdict.verdict is not Verdict.SUPPORTED:
        return said
    assert one.rule
    size, answer = size_of(found.state, one, one.rule), found.state.holdout.answers.get(one.id)
    return {
        **said,
        "grade": grade(one),
        "effect": size.effect,
        **_interval(size.interval),
        "effect_level": size.level,
        "effect_pairs": size.pairs,
        "effect_fresh": size.fresh,
        "final_data": answer.held if answer else None,
    }


def _interval(interval: tuple[float, float] | None) -> Row:
    low, high = interval or (None, None)
    return {"effect_low": low, "effect_high": high}


def _cost(one: Hypothesis) -> Row:
    cost = one.registered.cost
    return {"parameters": cost.parameters, "state_floats": cost.state_floats, "flop": cost.flop}


def _confirmation(attempt: Confirmation) -> Row:
    rule, verdict = attempt.rule, attempt.verdict
    names: tuple[str, ...] = (
        "hypothesis", "attempt", "process", "metric", "delta", "scale", "sigma", "dmin", "alpha", "beta", "max_pairs",
        "position", "stake",
    )  # fmt: skip
    row: dict[str, Value] = {name: getattr(rule, name) for name in names}
    row |= {"opened": moment(attempt.opened), "closed": moment(attempt.closed), "threshold": rule.threshold}
    row |= {"candidate_id": rule.candidate.id, "incumbent_id": rule.incumbent.id}
    row |= {"verdict": "open", "pairs": len(attempt.pairs)}
    if verdict:
        names = ("verdict", "reason", *_EVIDENCE, "mean", "refund", "cash", "discoveries")
        row |= {name: getattr(verdict, name) for name in names}
    return {**row, **spread("setting", rule.candidate_setting), **spread("gene", rule.candidate.genome)}


def _pairs(found: CampaignIndex, one: Hypothesis) -> Iterator[Row]:
    """Pairs of fresh seeds as the gate reads them: those of verdicts, of estimates, and of follow-ups."""
    for attempt in found.confirmations.of(one):
        for number, pair in enumerate(attempt.pairs):
            yield _pair(one.id, "claim", attempt.rule.attempt, number, pair.candidate, pair.incumbent)
    if one.verdict and one.verdict.attempt == one.attempt:
        for number, pair in enumerate(one.pairs()[one.verdict.pairs :], start=one.verdict.pairs):
            yield _pair(one.id, "size", one.attempt, number, pair.candidate, pair.incumbent)
    for further in one.follow_ups:
        for number, pair in enumerate(further.pairs()):
            aim = str(further.opened.aim)
            yield _pair(one.id, aim, further.rule.attempt, number, pair.candidate, pair.incumbent)


def _pair(
    hypothesis: str, question: str, attempt: int, number: int, candidate: float | None, incumbent: float | None
) -> Row:
    return {
        "hypothesis": hypothesis,
        "question": question,
        "attempt": attempt,
        "pair": number,
        "candidate": candidate,
        "incumbent": incumbent,
    }


def _finding(found: CampaignIndex, one: Hypothesis) -> Row:
    assert one.rule and one.verdict
    return {
        "id": one.id,
        "found": moment(found.confirmations.get(one.id, one.verdict.attempt).closed),
        "metric": one.rule.metric,
        "delta": one.rule.delta,
        "candidate_id": one.rule.candidate.id,
        "incumbent_id": one.rule.incumbent.id,
        **{name: value for name, value in _judged(found, one).items() if name != "reason"},
        **_cost(one),
        **spread("setting", one.rule.candidate_setting),
        **spread("gene", one.rule.candidate.genome),
        **spread("incumbent_setting", one.rule.incumbent_setting),
        **spread("incumbent_gene", one.rule.incumbent.genome),
    }


def _follow_up(found: CampaignIndex, one: FollowUp) -> Row:
    rule, done = one.rule, one.closed
    opened, closed = found.confirmations.follow_ups[rule.hypothesis, rule.attempt]
    row: dict[str, Value] = {
        "hypothesis": rule.hypothesis,
        "number": rule.attempt,
        "aim": one.opened.aim,
        "about": one.opened.about,
        "opened": moment(opened),
        "closed": moment(closed),
        "metric": rule.metric,
        "candidate_id": rule.candidate.id,
        "rival_id": rule.incumbent.id,
        "verdict": "open",
        "pairs": len(one.pairs()),
        "threshold": rule.threshold,
        "stake": rule.stake,
    }
    if done:
        row |= {name: getattr(done, name) for name in ("verdict", "reason", *_EVIDENCE, "effect")}
        row |= {**_interval(done.interval), "effect_level": done.level}
    return {**row, **spread("option", one.opened.options)}


def _incumbents(found: CampaignIndex) -> Iterator[Row]:
    for record, change, _ in found.timeline.incumbents:
        yield {
            "time": moment(record.time),
            "candidate_id": change.candidate.id,
            "hypothesis": change.hypothesis,
            "parameters": change.cost.parameters,
            "state_floats": change.cost.state_floats,
            "flop": change.cost.flop,
            **spread("gene", change.candidate.genome),
        }
