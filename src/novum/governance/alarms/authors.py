"""Authors whose ideas fail more and more, or come to nothing over and over for the same reason: they rest a while.

Hypotheses are counted, not trials: the trials of one candidate fail together, and a test that took them for independent
would see a trend in every second bad idea.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from novum.core.events.oversight import Intervened
from novum.core.model.intervention import Alarm, Step
from novum.core.state.author_stats import AuthorStats, alike
from novum.core.state.campaign_state import CampaignState
from novum.governance.alarms.alarm_inputs import AlarmInputs
from novum.governance.binomial import more_than_before, more_than_half

FEWEST = 8
"""Hypotheses of an author below which nothing is said of its rate."""

ALARMS = (Alarm.FAILURE_RATE, Alarm.DEAD_END)
WORDS = 160


def failure_rate(state: CampaignState, inputs: AlarmInputs) -> Iterator[Intervened]:
    """At least half of an author's latest hypotheses gave no score, far more than before."""
    for name, stats in state.alarm_signals.authors.items():
        count = len(stats.recent)
        if count < FEWEST or not stats.recent[-1] or 2 * (failed := stats.failed) < count or _quiet(state, name):
            continue
        before, failed_before, whose = _before(state, name, stats)
        chance = more_than_before(failed, count, failed_before, before) if before else more_than_half(failed, count)
        if chance < inputs.settings.failure_level:
            rate = f"{whose} {failed_before} of {before} before" if before else "with nothing to compare it with before"
            words = (
                f"{failed} of the last {count} hypotheses of {name} gave no score, {rate}; most often: {_usual(stats)}"
            )
            evidence = {"hypotheses": count, "failed": failed, "before": before, "failed_before": failed_before}
            yield _rest(state, inputs, Alarm.FAILURE_RATE, name, words, {**evidence, "chance": chance})


def dead_end(state: CampaignState, inputs: AlarmInputs) -> Iterator[Intervened]:
    """An author's latest proposals all came to nothing for the same reason."""
    for name, stats in state.alarm_signals.authors.items():
        if stats.row >= inputs.settings.dead_end and not _quiet(state, name):
            words = f"the last {stats.row} proposals of {name} came to nothing for one reason: {_line(stats.said)}"
            yield _rest(state, inputs, Alarm.DEAD_END, name, words, {"proposals": stats.row})


def _before(state: CampaignState, name: str, mine: AuthorStats) -> tuple[int, int, str]:
    """What the rate is held against: the author's own past, else that of the whole lab, else nothing."""
    if mine.earlier >= FEWEST:
        return mine.earlier, mine.earlier_failed, "its own"
    others = [stats for author, stats in state.alarm_signals.authors.items() if author != name]
    count = mine.earlier + sum(one.earlier + len(one.recent) for one in others)
    failed = mine.earlier_failed + sum(one.earlier_failed + one.failed for one in others)
    return (count, failed, "in the lab") if count >= FEWEST else (0, 0, "")


def _usual(stats: AuthorStats) -> str:
    """The most frequent cause, in the words of its latest case."""
    alikes = [alike(cause) if cause else "" for cause in stats.recent]
    most, _ = Counter(filter(None, alikes)).most_common(1)[0]
    return _line(stats.recent[len(alikes) - 1 - alikes[::-1].index(most)])


def _line(text: str) -> str:
    return " ".join(text.split())[:WORDS]


def _quiet(state: CampaignState, name: str) -> bool:
    """Whether it has been said already, and that still holds."""
    said = (one.until for one in state.intervention_log.about.get(name, ()) if one.alarm in ALARMS)
    return max(said, default=0) > state.proposals + 1


def _rest(
    state: CampaignState, inputs: AlarmInputs, alarm: Alarm, name: str, words: str, evidence: dict[str, float]
) -> Intervened:
    """A rest that doubles each time. A control is what the others are measured by: of one, it is only said."""
    times = sum(one.alarm in ALARMS for one in state.intervention_log.about.get(name, ()))
    length = min(inputs.settings.longest_rest, inputs.settings.rest * 2**times)
    control = name in inputs.controls
    end = "; it is the control, so it goes on" if control else f"; it rests for {length} proposals"
    until = state.proposals + 1 + length
    return Intervened(
        alarm, Step.NOTE if control else Step.REST, name, words + end, {**evidence, "rest": length}, until
    )
