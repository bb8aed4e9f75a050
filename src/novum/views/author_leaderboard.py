"""The leaderboard: what each author proposed, what it cost, what was confirmed, and how good its predictions were."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from novum.core.events.campaign import IncumbentChanged
from novum.core.events.event import Record
from novum.core.events.models_and_people import ModelAsked, ModelReplied
from novum.core.events.proposals import HypothesisRegistered, ProposalMade, ProposalRefused
from novum.core.events.trials import GroupDispatched, LateReport, TrialFinished
from novum.core.events.verdicts import AblationPlanned
from novum.core.model.trial_plan import Plan, Purpose
from novum.core.model.verdict import Verdict
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis, Phase
from novum.core.state.study_views.research_history import effect
from novum.views.predictions import Bin, Prediction, bins, brier, reference

LAB = "lab"
"""Whose trials serve no single hypothesis: sweeps and noise of incumbents."""


@dataclass(frozen=True, slots=True)
class Realised:
    """A finding's effect on fresh pairs, and what its author had expected if it was supported."""

    hypothesis: str
    expected: float
    realised: float


@dataclass(frozen=True, slots=True)
class AuthorLine:
    """One author. A proposal that was claimed anew, against another incumbent, is still one proposal."""

    author: str
    proposals: int
    refused: int
    """Before any trial."""
    registered: int
    screened: int
    """Candidates whose screening ended."""
    supported: int
    refuted: int
    inconclusive: int
    retracted: int
    """Of the supported ones."""
    trials: int
    cpu_seconds: float
    confirmed_gain: float
    """Sum of the effects of findings that stand, on fresh pairs, in the study's unit."""
    gain_per_cpu_hour: float | None
    """By what all the author's trials cost."""
    predictions: int
    """Proposals that are settled."""
    brier: float | None
    """Mean squared error of their predicted probabilities."""
    reference: float | None
    """That of predicting the campaign's base rate for each."""
    bins: tuple[Bin, ...]
    effects: tuple[Realised, ...]
    tokens: int
    money: float
    """This and `tokens`: of models."""


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """All authors, the one with the largest confirmed gain first. Trials and CPU seconds of the lab are for nobody."""

    study: str
    metric: str
    lines: tuple[AuthorLine, ...]
    base_rate: float | None
    lab_trials: int
    lab_cpu_seconds: float


class AuthorTally:
    """Who is behind each event of a record. state: that of the lab, which folds each event before it is taken here."""

    def __init__(self, state: CampaignState) -> None:
        self.state = state
        self._proposals: dict[int, ProposalMade] = {}
        self._refused: Counter[str] = Counter()
        self._owners: dict[str, str] = {}
        self._plans: dict[str, Plan] = {}
        self._trials: Counter[str] = Counter()
        self._cpu: Counter[str] = Counter()
        self._asked: dict[str, str] = {}
        self._replies: list[ModelReplied] = []

    def take(self, record: Record) -> None:
        """One more record, which the state has folded."""
        event = record.event
        if isinstance(event, ProposalMade):
            self._proposals[event.number] = event
            self._asked[event.request] = event.author
        elif isinstance(event, ProposalRefused):
            self._refused[self._proposals[event.number].author] += 1
        elif isinstance(event, HypothesisRegistered):
            self._owners[event.id] = event.author
            self._owners.setdefault(event.candidate.id, event.author)
        elif isinstance(event, AblationPlanned):
            self._owners.setdefault(event.rival.id, self._owners[event.hypothesis])
        elif isinstance(event, IncumbentChanged):
            self._owners.setdefault(event.candidate.id, LAB)
        elif isinstance(event, GroupDispatched):
            self._plans[event.plan.id] = event.plan
        elif isinstance(event, TrialFinished | LateReport):
            self._charge(event)
        elif isinstance(event, ModelAsked):
            self._asked[event.request] = event.author
        elif isinstance(event, ModelReplied):
            self._replies.append(event)

    def _charge(self, event: TrialFinished | LateReport) -> None:
        plan = self._plans[event.group]
        nobodys = plan.purpose is Purpose.CALIBRATE
        owner = LAB if nobodys else self._owners.get(plan.subject, LAB)
        self._trials[owner] += isinstance(event, TrialFinished)
        self._cpu[owner] += event.cpu_seconds  # type: ignore[assignment]  # a Counter of seconds

    def leaderboard(self) -> Leaderboard:
        """The table so far."""
        claims: dict[str, list[Hypothesis]] = {}
        for hypothesis in self.state.hypotheses.values():
            claims.setdefault(hypothesis.registered.author, []).append(hypothesis)
        predictions = {author: self._predictions(theirs) for author, theirs in claims.items()}
        settled = [one for theirs in predictions.values() for one in theirs]
        rate = sum(one.came_true for one in settled) / len(settled) if settled else None
        proposals = Counter(made.author for made in self._proposals.values())
        tokens, money = self._models()
        lines = [
            self._line(
                author, proposals[author], claims.get(author, []), predictions.get(author, []), rate, tokens, money
            )
            for author in dict.fromkeys([*proposals, *claims, *(+tokens), *(+money)])
        ]
        lines.sort(key=lambda line: (-line.confirmed_gain, -line.supported, line.author))
        return Leaderboard(
            self.state.study.name, self.state.spec.metric, tuple(lines), rate, self._trials[LAB], self._cpu[LAB]
        )

    def _line(
        self,
        author: str,
        proposals: int,
        claims: list[Hypothesis],
        predictions: list[Prediction],
        rate: float | None,
        tokens: Counter[str],
        money: Counter[str],
    ) -> AuthorLine:
        state = self.state
        verdicts = Counter(one.verdict.verdict for one in claims if one.verdict)
        supported = [one for one in claims if one.verdict and one.verdict.verdict is Verdict.SUPPORTED]
        retracted = [one for one in supported if one.retracted]
        standing = {one.id: effect(one) for one in supported if one not in retracted}
        gain, cpu = sum(value for value in standing.values() if value is not None), self._cpu[author]
        return AuthorLine(
            author=author,
            proposals=proposals,
            refused=self._refused[author],
            registered=len({one.registered.number for one in claims}),
            screened=len({one.candidate.id for one in claims if one.candidate.id in state.tuned}),
            supported=len(supported),
            refuted=verdicts[Verdict.REFUTED],
            inconclusive=verdicts[Verdict.INCONCLUSIVE],
            retracted=len(retracted),
            trials=self._trials[author],
            cpu_seconds=cpu,
            confirmed_gain=gain,
            gain_per_cpu_hour=gain / cpu * 3600 if cpu > 0 else None,
            predictions=len(predictions),
            brier=brier(predictions),
            reference=None if rate is None else reference(predictions, rate),
            bins=bins(predictions),
            effects=tuple(
                Realised(one.id, one.registered.effect, one.finding.effect)
                for one in supported
                if one.finding and one.finding.effect is not None
            ),
            tokens=tokens[author],
            money=float(money[author]),
        )

    def _models(self) -> tuple[Counter[str], Counter[str]]:
        """Tokens and money by author; a reply that nobody is known to have asked for is its model's."""
        authors = {made.author for made in self._proposals.values()}
        tokens: Counter[str] = Counter()
        money: Counter[str] = Counter()
        for reply in self._replies:
            asked = self._asked.get(reply.request, reply.model)
            author = named if (named := f"{asked}:{reply.model}") in authors else asked
            tokens[author] += reply.input_tokens + reply.output_tokens
            money[author] += reply.money  # type: ignore[assignment]  # a Counter of dollars
        return tokens, money

    def _predictions(self, claims: list[Hypothesis]) -> list[Prediction]:
        """Settled proposals: supported (and standing) or not. One is open while any of its claims may yet be judged."""
        by_number: dict[int, list[Hypothesis]] = {}
        for one in claims:
            by_number.setdefault(one.registered.number, []).append(one)
        found = []
        for same in by_number.values():
            won = any(_won(one) for one in same)
            if won or all(_settled(self.state, one) for one in same):
                found.append(Prediction(same[0].registered.probability, won))
        return found


def _won(one: Hypothesis) -> bool:
    return one.verdict is not None and one.verdict.verdict is Verdict.SUPPORTED and not one.retracted


def _settled(state: CampaignState, one: Hypothesis) -> bool:
    """Whether nothing more is expected: judged, failed, replaced, or passed over by screening."""
    if one.phase in (Phase.SCREENING, Phase.CONFIRMING):
        return False
    return one.phase is not Phase.WAITING or one.id not in state.confirmation_queue
