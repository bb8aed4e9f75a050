"""Watching a run: a live panel on a terminal, plain lines anywhere else."""

from __future__ import annotations

import io
import math
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TextIO

from novum.cli.printing.output import genome, line, number
from novum.views.progress import Confirming, Progress, intervention, progress

if TYPE_CHECKING:
    from rich.console import Group
    from rich.text import Text

    from novum.core.engine.loop import Lab
    from novum.core.state.campaign_state import CampaignState

REFRESH_SECONDS = 0.25
HEARTBEAT_SECONDS = 15.0
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
        self.say(f"lab {directory}, {now.workers} worker(s), session {lab.state.session}")
        self.say(f"starting from {genome(now.incumbent)}")

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
                f"{budget_line(now)}; {now.screened} screened, {len(now.confirming)} confirming, "
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

    def begin(self, directory: Path, lab: Lab) -> None:
        """Draw the first panel."""
        self._directory, self._lab = directory, lab
        self.show(lab.state)

    def show(self, state: CampaignState) -> None:
        """Redraw, at most four times a second."""
        now = time.monotonic()
        if now - self._drawn >= REFRESH_SECONDS:
            self._drawn = now
            shown = progress(state, self._lab.wall_seconds if self._lab else None)
            self._live.update(panel(shown, self._directory, self._message), refresh=True)

    def say(self, text: str) -> None:
        """Show a message under the panel from the next drawing on."""
        self._message = text
        self._drawn = 0.0

    def __enter__(self) -> LiveWatcher:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()


def budget_line(now: Progress) -> str:
    """What has been used of what."""
    parts = [f"{_clock(now.wall_seconds)}" + (f" of {_clock(now.wall_budget)}" if now.wall_budget else "")]
    parts.append(f"{now.trials} trials" + (f" of {now.trial_budget}" if now.trial_budget else ""))
    cpu = f"{now.cpu_seconds:.0f} CPU s" + (f" of {now.cpu_budget:.0f}" if now.cpu_budget else "")
    rate = f"{now.trials / now.wall_seconds:.1f} trials/s" if now.wall_seconds > 0 else ""
    return ", ".join(part for part in [*parts, cpu, rate] if part)


def lines(now: Progress) -> list[str]:
    """The whole progress as plain text."""
    flying = ", ".join(f"{count} {purpose}" for purpose, count in now.in_flight.items()) or "nothing"
    text = [
        f"{now.study}: {line(now.question)}",
        f"{'running' if now.running else 'stopped'}  {budget_line(now)}"
        + (f"  ({line(now.reason)})" if now.reason else ""),
        f"in flight   {flying} on {now.workers} worker(s)",
        f"screening   {len(now.screening)} now, {now.screened} screened, {now.waiting} not promoted",
    ]
    for item in now.confirming:
        state = "estimating" if item.estimating else "confirming"
        text.append(
            f"{state}  {item.id} E = {item.e_value:.3g} of {item.threshold:.3g} after {item.pairs} pairs: "
            f"{line(item.change)}"
        )
    text.append(f"incumbent   {genome(now.incumbent)} ({now.incumbent_origin})")
    text.append(f"evidence    cash {now.cash:.3f}, {now.discoveries} supported")
    text += [f"{one.outcome:<13}{one.id}: {line(one.change)} ({line(one.reason)})" for one in now.verdicts]
    if now.failures:
        text.append("failures    " + ", ".join(f"{count} {kind}" for kind, count in now.failures.items()))
    text += [f"watchdog    {line(words)}" for words in now.interventions]
    return text


def panel(now: Progress, directory: Path, message: str = "") -> Group:
    """The live view."""
    from rich.console import Group
    from rich.panel import Panel
    from rich.text import Text

    parts = [Text(line(now.question), style="bold"), Text(budget_line(now)), _bar(now), Text()]
    parts += [_label("incumbent", f"{genome(now.incumbent)}  ({now.incumbent_origin})")]
    flying = ", ".join(f"{count} {purpose}" for purpose, count in now.in_flight.items()) or "starting workers"
    parts += [_label("in flight", flying)]
    parts += [_label("screening", f"{len(now.screening)} now, {now.screened} done, {now.waiting} not promoted")]
    parts += [_label("", change) for change in now.screening]
    parts += [_confirming(item) for item in now.confirming]
    parts += [_label("evidence", f"cash {now.cash:.3f}, {now.discoveries} supported"), Text()]
    for one in now.verdicts:
        text = Text(f"{one.outcome:<13}", style=_COLOURS.get(one.outcome, ""))
        parts.append(text.append(f"{one.id:<5}{line(one.change)}  ({line(one.reason)})", style="default"))
    if now.failures:
        parts.append(_label("failures", ", ".join(f"{count} {kind}" for kind, count in now.failures.items())))
    parts += [_label("watchdog", words) for words in now.interventions]
    foot = message or "Ctrl-C stops in order; the same command goes on from there"
    return Group(
        Panel(Group(*parts), title=f"novum  {now.study}", subtitle=str(directory), title_align="left"),
        Text(line(foot), style="dim"),
    )


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
