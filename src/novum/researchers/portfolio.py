"""A bandit over researchers: each proposal goes to the one that is likely to gain most for what it costs.

Thompson sampling on gain per cost, with confirmed gains worth more than screened ones. The control, random search, has
a fixed share of the proposals, whatever comes of them: it is what the others are measured by. Everything is worked out
anew from the view, so a lab that is resumed goes on as if it had never stopped.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le

from novum.core.model.candidate import Setting
from novum.core.model.errors import StudyError
from novum.core.model.ports import Closable, Researcher, SharesTurns, WorksInBackground
from novum.core.model.proposal import Pending, Proposal
from novum.core.model.study_view import StudyView
from novum.researchers.author_value import books


@dataclass(frozen=True)
class PortfolioSettings:
    """The options of a portfolio."""

    members: str = "evolve,random"
    """Names of researchers, separated by commas."""
    control: str = "random"
    """One more of them."""
    control_share: Annotated[float, Ge(0), Le(1)] = 0.1
    """Of the proposals, for the control."""
    explore: Annotated[float, Ge(0), Le(1)] = 0.03
    """Of the others, for a member drawn uniformly, so that none is ever given up."""
    half_life: Annotated[float, Gt(0)] = 200.0
    """Hypotheses after which a past one counts for half."""
    cost: Literal["cpu_seconds", "trials"] = "cpu_seconds"
    """What gains are divided by."""

    @property
    def names(self) -> tuple[str, ...]:
        """The members in their order, each once."""
        return tuple(dict.fromkeys(name.strip() for name in self.members.split(",") if name.strip()))


@dataclass(frozen=True)
class PortfolioResearcher:
    """The Researcher port over others. `researchers`: by name, the control among them."""

    researchers: Mapping[str, Researcher]
    settings: PortfolioSettings = field(default_factory=PortfolioSettings)

    @property
    def pending(self) -> bool:
        """Whether any of them works on something in the background."""
        return any(_thinks(one) for one in self.researchers.values())

    def close(self) -> None:
        """End what any of them runs in the background."""
        for one in self.researchers.values():
            if isinstance(one, Closable):
                one.close()

    def propose(self, view: StudyView, rng: random.Random) -> Proposal | Pending | None:
        """The idea of the member whose turn it is, or of the next one if it has none now; signed with its name."""
        order = self.order(view, rng)
        seed = rng.getrandbits(64)
        heard: dict[str, Proposal | Pending | None] = {}
        fetching = [name for name in order if self._fetches(name, view)]
        for place, name in enumerate([*fetching, *order]):
            early = place < len(fetching)
            one = self.researchers[name]
            if early and isinstance(one, SharesTurns):
                said = one.fetch(view)
            elif name in heard:
                said = heard[name]
            else:
                # Each has randomness of its own, so that what it says does not depend on who was asked before it.
                said = heard[name] = one.propose(view, random.Random(f"{seed}:{name}"))
            if isinstance(said, Pending) and (said.ask or said.consulted):
                return replace(said, final=False)
            if isinstance(said, Proposal) and (said.consulted or not early):
                return replace(said, author=said.author or name)
        waiting = any(isinstance(said, Pending) and not said.final for said in heard.values())
        return Pending() if waiting else None

    def order(self, view: StudyView, rng: random.Random) -> list[str]:
        """Who is asked, one after the other: whose turn it is, then the others; the control last unless it is due.

        Members that rest are not asked, not even for an answer that is in: it would be refused. The control never
        rests.
        """
        ranked = [name for name in self._ranked(view, rng) if name not in view.resting]
        first = [self.settings.control] if self._due(view.number) else []
        return list(dict.fromkeys([*first, *ranked, self.settings.control]))

    def _fetches(self, name: str, view: StudyView) -> bool:
        """Whether somebody is asked out of turn, since a paid answer may be in: never before the control."""
        return _thinks(self.researchers[name]) and not self._due(view.number)

    def _due(self, number: int) -> bool:
        """Whether proposal `number` is the control's: evenly spread, so that its share holds at any moment."""
        share = self.settings.control_share
        return math.floor(number * share + 1e-9) > math.floor((number - 1) * share + 1e-9)

    def _ranked(self, view: StudyView, rng: random.Random) -> list[str]:
        """Members by a draw of their gain per cost; at random while nobody has gained anything, and now and then."""
        names = list(self.settings.names)
        rng.shuffle(names)
        past = view.past or view.tried
        kept = books(past, names, half_life=self.settings.half_life, by_trials=self.settings.cost == "trials")
        draws = {name: kept.draw(name, rng) for name in names}
        if rng.random() < self.settings.explore:
            return names
        return sorted(names, key=lambda name: -draws[name])


def members(
    settings: PortfolioSettings, options: Setting, builder: Callable[[str], Callable[[Setting], Researcher]]
) -> dict[str, Researcher]:
    """The members and the control, each with its own options: those called "name.option". Raises StudyError."""
    known: dict[str, Researcher] = {}
    for name in (*settings.names, settings.control):
        given = {key.removeprefix(f"{name}."): value for key, value in options.items() if key.startswith(f"{name}.")}
        known[name] = builder(name)(given)
        if isinstance(one := known[name], SharesTurns):
            one.share_turns()
    for key in options:
        if "." in key and not any(key.startswith(f"{name}.") for name in known):  # a name may hold dots itself
            raise StudyError(f"researcher.options.{key}: {key.rpartition('.')[0]!r} is no member")
    return known


def _thinks(one: Researcher) -> bool:
    return isinstance(one, WorksInBackground) and one.pending
