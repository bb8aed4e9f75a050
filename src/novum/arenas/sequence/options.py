"""The settings of the arena that are the same for every trial of a study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le

from novum.arenas.sequence.task_list import NamedTask, parse_tasks, scored_on
from novum.core.model.candidate import Setting
from novum.core.model.errors import StudyError
from novum.core.model.trial import Role


@dataclass(frozen=True, slots=True)
class Options:
    """Tasks, size, training and fairness.

    `tasks`: names with their options, as in "overwrite + mqar(keys=8)"; each is trained by itself and the score is the
    mean over them. `metric`: accuracy, or loss in nats per scored token. `layers`: places for mixers, of which a
    candidate may leave some empty. `equal`: what every candidate has as much of as the arena's baseline at `width`, by
    its width (parameters, flop) or the length of its keys (state). `stretch`: scored on sequences so many times as long
    as those trained on. `blind`: published designs cannot be chosen by name, only by their parts. `without`: genes that
    no candidate may use, separated by commas; they stay at their first choice. `shuffled` draws the answers anew, so
    that nothing can be learned: the negative control of the preflight. `places`: members of a group that are trained
    at the same time; 0: as many as the sizes suggest.
    """

    tasks: str = "overwrite"
    metric: Literal["accuracy", "loss"] = "accuracy"
    width: Annotated[int, Ge(8), Le(1024)] = 32
    layers: Annotated[int, Ge(1), Le(8)] = 1
    batch: Annotated[int, Ge(1), Le(1024)] = 16
    steps: Annotated[int, Ge(1), Le(1_000_000)] = 400
    held_out: Annotated[int, Ge(1), Le(65536)] = 256
    warmup: Annotated[float, Ge(0), Le(1)] = 0.1
    clip: Annotated[float, Ge(1e-6), Le(1e9)] = 1.0
    equal: Literal["nothing", "parameters", "state", "flop"] = "nothing"
    sweep: Literal["rate", "rate and decay"] = "rate"
    stretch: Annotated[int, Ge(1), Le(8)] = 1
    blind: bool = False
    without: str = ""
    shuffled: bool = False
    compiling: Literal["auto", "always", "never"] = "auto"
    places: Annotated[int, Ge(0), Le(4096)] = 0
    device: Literal["cpu", "cuda"] = "cpu"

    def __post_init__(self) -> None:
        """Raise StudyError when values contradict each other."""
        if self.width % 4:
            raise StudyError(f"options.width: {self.width} is no multiple of 4, which heads need")
        for one in self.named:
            for role in Role:
                try:
                    scored_on(one, role, self.stretch)
                except StudyError as error:
                    raise StudyError(f"options.tasks: {one.name} for {role} trials: {error}") from None

    @classmethod
    def taken(cls, given: Setting) -> Options:
        """Those that a trial group carries, which the lab has held to their types."""
        return cls(**given)  # type: ignore[arg-type]

    @property
    def named(self) -> tuple[NamedTask, ...]:
        """The tasks in their order."""
        return parse_tasks(self.tasks)
