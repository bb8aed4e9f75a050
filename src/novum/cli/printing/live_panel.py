"""Watching a run: a live panel on a terminal, plain lines anywhere else."""

from __future__ import annotations

import io
import math
import os
import signal
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TextIO

from novum.cli.ask import user
from novum.cli.printing.keys import Keys
from novum.cli.printing.output import line, number
from novum.core.model.ports import HasMachines
from novum.core.model.request import Act
from novum.governance.mailbox import Mailbox
from novum.sandbox import live_readings
from novum.views.progress import Confirming, NextInLine, Progress, RunningTrial, Verdictline, intervention, progress

if TYPE_CHECKING:
    from rich.console import Group
    from rich.text import Text

    from novum.core.engine.loop import Lab
    from novum.core.state.campaign_state import CampaignState

PAUSED = "paused: what runs is finished, nothing new is begun; p or `novum resume` goes on"
RESUMES = "stopped in order, the same command goes on from there"
KEYS = "p pauses, q stops"
REFRESH_SECONDS = 0.25
HEARTBEAT_SECONDS = 15.0
MOST_RUNNING = 4
"""Running trials that the panel shows."""
_COLOURS = {"supported": "green", "refuted": "red", "inconclusive": "yellow", "failed": "magenta"}


class Watcher(Protocol):
    """Somebody who is shown the state while it changes."""

    def begin(self, directory: Path, lab: Lab) -> None:
        """The session starts."""

    def show(self, state: CampaignState) -> None:
        """The state may have changed."""

    def say(self, text: str) -> None:
        """A message to the person."""


class PlainWatcher:
    """One line per verdict and finding, a heartbeat in between."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._seen: set[str] = set()
        self._heard = 0
        self._lab: Lab | None = None
        self._beat = time.monotonic()

    def begin(self, directory: Path, lab: Lab) -> None:
        """Say what is run and where."""
        self._lab = lab
        self._seen.update(hypothesis.id for hypothesis in lab.state.hypotheses.values() if hypothesis.verdict)
        self._heard = lab.state.intervention_log.taken
        now = progress(lab.state)
        self.say(f"{now.study}: {now.question}")
        where = "machines that dial in" if isinstance(lab.executor, HasMachines) else f"{now.workers} worker(s)"
        self.say(f"lab {directory}, {where}, session {lab.state.session}")
        self.say(f"starting from {line(now.incumbent_words)}")

    def show(self, state: CampaignState) -> None:
        """New verdicts, what the watchdog did, or a heartbeat."""
        new, self._heard = state.intervention_log.taken - self._heard, state.intervention_log.taken
        for done in state.intervention_log.latest[-new:] if new else ():
            self.say(f"watchdog: {intervention(done)}")
        now = progress(state, self._lab.wall_seconds if self._lab else None)
        for one in now.verdicts:
            if one.id not in self._seen:
                self._seen.add(one.id)
                self.say(f"{one.id} {one.outcome}: {one.change} ({one.reason.partition(chr(10))[0]})")
                self._beat = time.monotonic()
        if time.monotonic() - self._beat >= HEARTBEAT_SECONDS:
            self._beat = time.monotonic()
            self.say(
                f"{budget_line(now)}; {score_line(now)}; {now.screened} screened, {len(now.confirming)} confirming, "
                f"{now.discoveries} supported"
            )

    def say(self, text: str) -> None:
        """Print a line at once."""
        try:
            print(line(text), file=self._stream, flush=True)
        except OSError:  # nobody listens any more; the campaign goes on
            self._stream = io.StringIO()

    def __enter__(self) -> PlainWatcher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class LiveWatcher:
    """A panel that is redrawn four times a second."""

    def __init__(self) -> None:
        from rich.live import Live

        self._live = Live(auto_refresh=False, transient=True)
        self._drawn = 0.0
        self._directory = Path()
        self._lab: Lab | None = None
        self._message = ""
        self._keys = Keys(self._pressed)

    def begin(self, directory: Path, lab: Lab) -> None:
        """Draw the first panel."""
        self._directory, self._lab = directory, lab
        self.show(lab.state)

    def show(self, state: CampaignState) -> None:
        """Redraw, at most four times a second."""
        now = time.monotonic()
        if now - self._drawn >= REFRESH_SECONDS:
            self._drawn = now
            seconds = self._lab.wall_seconds if self._lab else None
            shown = progress(state, seconds, live=live_readings.read(self._directory))
            rows = self._live.console.size.height
            self._live.update(panel(shown, self._directory, self._message, rows), refresh=True)

    def say(self, text: str) -> None:
        """Show a message under the panel from the next drawing on."""
        self._message = text
        self._drawn = 0.0

    def __enter__(self) -> LiveWatcher:
        self._live.start()
        self._keys.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._keys.stop()
        self._live.stop()

    def _pressed(self, key: str) -> None:
        """`p`: pause, or go on; `q`: stop in order, as Ctrl-C does."""
        if self._lab is None:
            return
        if key == "q":
            os.kill(os.getpid(), signal.SIGINT)
        elif key == "p":
            paused = self._lab.state.request_log.paused
            Mailbox(self._directory).send(Act.RESUME if paused else Act.PAUSE, user(), {"reason": "a key was pressed"})


def budget_line(now: Progress) -> str:
    """What has been used of what."""
    parts = [f"{_clock(now.wall_seconds)}" + (f" of {_clock(now.wall_budget)}" if now.wall_budget else "")]
    parts.append(f"{now.trials} trials" + (f" of {now.trial_budget}" if now.trial_budget else ""))
    cpu = f"{now.cpu_seconds:.0f} CPU s" + (f" of {now.cpu_budget:.0f}" if now.cpu_budget else "")
    rate = f"{now.trials / now.wall_seconds:.1f} trials/s" if now.wall_seconds > 0 else ""
    return ", ".join(part for part in [*parts, cpu, rate] if part)


def screening_line(now: Progress, done: str) -> str:
    """How screening goes."""
    early = f", {now.ended_early} ended early" if now.ended_early else ""
    return f"{len(now.screening)} now, {now.screened} {done}{early}, {now.waiting} not promoted"


def running_line(one: RunningTrial) -> str:
    """The latest reading of a running trial."""
    return f"{one.id} {one.value:.4g} after {one.cpu_seconds:.3g} CPU s ({one.purpose})"


def _first(reason: str) -> str:
    """A reason without the output that follows it; `novum failures` and `novum show` have all of it."""
    return line(reason.partition("\n")[0])


def lines(now: Progress) -> list[str]:
    """The whole progress as plain text."""
    flying = ", ".join(f"{count} {purpose}" for purpose, count in now.in_flight.items()) or "nothing"
    word = "paused" if now.paused and now.running else "running" if now.running else "stopped"
    text = [
        f"{now.study}: {line(now.question)}",
        f"{word}  {budget_line(now)}" + (f"  ({line(now.reason)})" if now.reason else ""),
        f"in flight   {flying} on {now.workers} worker(s)",
        f"screening   {screening_line(now, 'screened')}",
    ]
    text += [f"running     {running_line(one)}" for one in now.running_trials]
    for item in now.confirming:
        state = "estimating" if item.estimating else "confirming"
        text.append(
            f"{state}  {item.id} E = {item.e_value:.3g} of {item.threshold:.3g} after {item.pairs} pairs: "
            f"{line(item.change)}"
        )
    text.append(f"score       {score_line(now)}")
    if now.next_in_line:
        text.append(f"next        {waiting_line(now.next_in_line)}")
    text.append(f"incumbent   {line(now.incumbent_words)} ({now.incumbent_origin})")
    text.append(f"evidence    cash {now.cash:.3f}, {now.discoveries} supported")
    text += [f"{one.outcome:<13}{one.id}: {line(one.change)} ({_first(one.reason)})" for one in now.verdicts]
    if now.failures:
        text.append("failures    " + ", ".join(f"{count} {kind}" for kind, count in now.failures.items()))
    text += [f"watchdog    {line(words)}" for words in now.interventions]
    return text


def panel(now: Progress, directory: Path, message: str = "", rows: int = 24) -> Group:
    """The live view: one row for each thing, cut at the right margin, at most `rows` of them; findings last to go."""
    from rich.console import Group
    from rich.panel import Panel
    from rich.text import Text

    head = [Text(line(now.question), style="bold"), Text(budget_line(now)), _bar(now), Text(score_line(now))]
    flying = ", ".join(f"{count} {purpose}" for purpose, count in now.in_flight.items()) or "starting workers"
    body = [
        _label("incumbent", f"{line(now.incumbent_words)}  ({now.incumbent_origin})"),
        _label("in flight", flying),
        *(_label("running", running_line(one)) for one in now.running_trials[:MOST_RUNNING]),
        _label("screening", screening_line(now, "done")),
        *(_confirming(item) for item in now.confirming),
        *([_label("next in line", waiting_line(now.next_in_line))] if now.next_in_line else []),
        _label("evidence", f"cash {now.cash:.3f}, {now.discoveries} supported"),
    ]
    tail = [_verdict(one) for one in now.verdicts]
    if now.failures:
        body.append(_label("failures", ", ".join(f"{count} {kind}" for kind, count in now.failures.items())))
    body += [_label("watchdog", words) for words in now.interventions]
    kept = max(1, rows - 4 - len(head) - len(body))
    spare = [_label("", change) for change in now.screening][: max(0, kept - len(tail))]
    found = [text for text, one in zip(tail, now.verdicts, strict=True) if one.outcome == "supported"]
    shown = tail if len(tail) <= kept else (found or tail)[-kept:]
    parts = [*head, *body[:3], *spare, *body[3:], *shown]
    for part in parts:
        part.no_wrap, part.overflow = True, "ellipsis"
    foot = Text(line(PAUSED if now.paused else message or RESUMES), style="dim")
    foot.no_wrap, foot.overflow = True, "ellipsis"
    return Group(
        Panel(Group(*parts), title=f"novum  {now.study}", subtitle=f"{directory} · {KEYS}", title_align="left"), foot
    )


def score_line(now: Progress) -> str:
    """Where the metric stands, from the baseline to the incumbent, and when the next verdict may come."""
    if now.baseline_level is None:
        text = f"{now.metric}: the baseline is being measured"
    elif now.incumbent_origin == "baseline" or now.incumbent_level is None:
        text = f"{now.metric} {number(now.baseline_level)} (baseline)"
    else:
        text = f"{now.metric} {number(now.baseline_level)} -> {number(now.incumbent_level)} ({now.incumbent_origin})"
    if now.next_verdict_seconds is not None:
        text += f", next verdict ~{_about(now.next_verdict_seconds)}"
    return text


def _about(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"


def waiting_line(best: NextInLine) -> str:
    """The best that waits for a confirmation, and for what."""
    return f"{best.id} {best.gain:+.3g} in screening, waits for {best.waits_for}"


def _verdict(one: Verdictline) -> Text:
    from rich.text import Text

    text = Text(f"{one.outcome:<13}", style=_COLOURS.get(one.outcome, ""))
    return text.append(f"{one.id:<5}{line(one.change)}  ({_first(one.reason)})", style="default")


def _label(name: str, text: str) -> Text:
    from rich.text import Text

    return Text(f"{name:<13}", style="cyan").append(line(text), style="default")


def _confirming(item: Confirming) -> Text:
    share = max(0.0, min(1.0, math.log(max(item.e_value, 1.0)) / math.log(item.threshold)))
    bar = "█" * round(20 * share) + "░" * (20 - round(20 * share))
    name = "estimating" if item.estimating else "confirming"
    tail = f"{item.pairs} fresh pairs" if item.estimating else f"{item.pairs} pairs"
    return _label(name, f"{item.id} {bar} E {number(item.e_value)} of {number(item.threshold)}, {tail}: {item.change}")


def _bar(now: Progress) -> Text:
    from rich.text import Text

    bounds = [(now.wall_seconds, now.wall_budget), (now.cpu_seconds, now.cpu_budget), (now.trials, now.trial_budget)]
    share = max((used / bound for used, bound in bounds if bound), default=0.0)
    filled = round(50 * min(1.0, share))
    return Text("━" * filled, style="green").append("━" * (50 - filled), style="dim").append(f" {min(1.0, share):.0%}")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:04.1f}" if minutes else f"{rest:.1f} s"
