"""The settings of the arena that are the same for every trial of a study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le

from novum.core.model.candidate import Setting
from novum.core.model.errors import StudyError

TASKS = ("linear", "sinusoid", "process", "tables", "text")
MOST_ROWS = 20
FEATURES = {"sinusoid": 1, "process": 1, "tables": 8, "text": 8}


@dataclass(frozen=True, slots=True)
class Options:
    """Which tasks are met, with how many examples each, and how much is learned before.

    `task`: a linear map, a sinusoid or a draw from a Gaussian process, with noise and with a known Bayes predictor;
    tables: two classes of rows of scikit-learn's tables, after learning on made-up tables; text: the next character of
    Python's manual, after learning on code. `shots`: examples of a new task after which it is asked about, separated by
    commas; 0 is before the first. `features`: inputs of the linear map. `steps`: of learning beforehand, with `batch`
    tasks in each. `exam`: new tasks of a trial, `queries` questions in each. `shuffled` draws every label anew, so that
    nothing can be learned: the negative control of the preflight.
    """

    task: Literal["linear", "sinusoid", "process", "tables", "text"] = "sinusoid"
    shots: str = "2, 5, 10, 20"
    features: Annotated[int, Ge(1), Le(64)] = 8
    steps: Annotated[int, Ge(1), Le(100_000)] = 300
    batch: Annotated[int, Ge(1), Le(256)] = 16
    exam: Annotated[int, Ge(1), Le(4096)] = 64
    queries: Annotated[int, Ge(1), Le(1024)] = 32
    shuffled: bool = False

    def __post_init__(self) -> None:
        levels = self.levels
        if (
            not levels
            or list(levels) != sorted(set(levels))
            or not 0 <= levels[0] <= levels[-1] <= 256
            or levels[-1] == 0
        ):
            raise StudyError(
                "options.shots: numbers of examples from 0 to 256 in rising order, such as '2, 5, 10'; "
                f"got {self.shots!r}"
            )
        if self.task == "tables" and levels[-1] > MOST_ROWS:
            raise StudyError(f"options.shots: of a table there are at most {MOST_ROWS} rows to learn from")

    @classmethod
    def taken(cls, given: Setting) -> Options:
        """Those that a trial group carries, which the lab has held to their types."""
        return cls(**given)  # type: ignore[arg-type]

    @property
    def levels(self) -> tuple[int, ...]:
        """The numbers of examples after which questions are asked."""
        words = [word.strip() for word in self.shots.split(",")]
        if not all(word.isdecimal() for word in words):
            raise StudyError(f"options.shots: whole numbers separated by commas, not {self.shots!r}")
        return tuple(map(int, words))

    @property
    def inputs(self) -> int:
        """Numbers that describe an example."""
        return FEATURES.get(self.task, self.features)

    @property
    def classes(self) -> bool:
        """Whether labels are one of two classes, -1 and 1."""
        return self.task == "tables"

    @property
    def text(self) -> bool:
        """Whether labels, and what describes an example, are numbers of characters."""
        return self.task == "text"

    @property
    def bayes(self) -> bool:
        """Whether the Bayes predictor is known."""
        return not (self.classes or self.text)
