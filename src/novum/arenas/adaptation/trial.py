"""The worker's side: trials of a group learn as one population; their answers to the exam go out unscored."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from novum.arenas.adaptation.episodes import Episodes, exam, lesson
from novum.arenas.adaptation.learning import Learned, Member, learn
from novum.arenas.adaptation.network import Tasks, predict
from novum.arenas.adaptation.options import Options
from novum.arenas.adaptation.space import Design, space
from novum.core.model.candidate import Candidate, Setting
from novum.core.model.errors import StudyError
from novum.core.model.trial import OutcomeKind, Trial, TrialGroup, TrialOutput


def warm() -> None:
    """Import and initialise everything a run needs with a throw-away training, so that forked children start warm."""
    options: Setting = {"steps": 2, "batch": 2, "exam": 2, "queries": 2, "shots": "2"}
    run(TrialGroup("warm", Candidate({}), (Trial("warm", 0, {"lr": 0.01, "inner": 0.1}),), options))


def run(group: TrialGroup) -> list[TrialOutput]:
    """One output per trial, in their order: answers as little-endian floats, [levels, tasks, questions].

    `setting["lr"]` is the rate of what is learned beforehand, `setting["inner"]` the step size within a task, at least
    at first; `fidelity` scales the number of steps. A member whose answers are not finite is delivered as DIVERGED.
    """
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    options = Options.taken(group.options)
    design = Design.of(space().validate(group.candidate.genome))
    members = [Member(one.seed, _rate(one, "lr"), _rate(one, "inner")) for one in group.trials]

    def lessons(step: int) -> tuple[Tasks, Tensor]:
        made = [lesson(options, one.seed, step) for one in members]
        return _tasks([tasks for tasks, _ in made]), _stacked([answers for _, answers in made])

    learned = learn(design, options.inputs, members, lessons, max(1, round(options.steps * group.fidelity)))
    asked = _tasks([exam(options, group.role, one.seed) for one in members])
    weights = {name: value.detach() for name, value in learned.weights.items()}
    levels = [predict(weights, design, asked.first(k), through=False).detach() for k in options.levels]
    answers = torch.stack(levels, 1).numpy()  # [members, levels, tasks, questions]
    return [_output(trial, row, answers[row], learned) for row, trial in enumerate(group.trials)]


def _output(trial: Trial, row: int, answers: np.ndarray, learned: Learned) -> TrialOutput:
    if not np.isfinite(answers).all():
        return TrialOutput(trial.id, failure=OutcomeKind.DIVERGED, cause="answers are not finite")
    curve = tuple((seconds, members[row]) for seconds, members in learned.curve)
    rates = {name: float(value[row].exp()) for name, value in learned.weights.items() if name.startswith("rate of")}
    return TrialOutput(trial.id, answers.astype("<f4").tobytes(), facts=rates, curve=curve)


def _tasks(made: list[Episodes]) -> Tasks:
    return Tasks(*(_stacked([getattr(one, name) for one in made]) for name in ("inputs", "labels", "asked")))


def _stacked(arrays: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(arrays).astype(np.float32))


def _rate(trial: Trial, name: str) -> float:
    rate = trial.setting.get(name)
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not rate > 0:
        raise StudyError(f"trial {trial.id!r} of the adaptation arena needs a positive setting {name!r}, not {rate!r}")
    return float(rate)
