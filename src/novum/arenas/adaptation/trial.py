"""The worker's side: trials of a group learn as one population; their answers to the exam go out unscored."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from novum.arenas.adaptation.episodes import Episodes, exam, lesson
from novum.arenas.adaptation.learning import Learned, Member, learn
from novum.arenas.adaptation.network import Form, Tasks, predict
from novum.arenas.adaptation.options import Options
from novum.arenas.adaptation.score import written
from novum.arenas.adaptation.space import Design, space
from novum.arenas.adaptation.texts import SYMBOLS
from novum.core.model.candidate import Candidate, Setting
from novum.core.model.errors import StudyError
from novum.core.model.trial import OutcomeKind, Trial, TrialGroup, TrialOutput


def warm() -> None:
    """Import and initialise everything a run needs with a throw-away training, so that forked children start warm."""
    options: Setting = {"steps": 2, "batch": 2, "exam": 2, "queries": 2, "shots": "2"}
    run(TrialGroup("warm", Candidate({}), (Trial("warm", 0, {"lr": 0.01, "inner": 0.1}),), options))


def run(group: TrialGroup) -> list[TrialOutput]:
    """One output per trial, in their order: answers as `score.written` has them, [levels, tasks, questions, outputs].

    `setting["lr"]` is the rate of what is learned beforehand, `setting["inner"]` the step size within a task, at least
    at first; `fidelity` scales the number of steps. A member whose answers are not finite is delivered as DIVERGED.
    """
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    options = Options.taken(group.options)
    design = Design.of(space(options).validate(group.candidate.genome))
    form = Form(options.inputs, SYMBOLS, SYMBOLS) if options.text else Form(options.inputs)
    members = [Member(one.seed, _rate(one, "lr"), _rate(one, "inner")) for one in group.trials]

    def lessons(step: int) -> tuple[Tasks, Tensor]:
        made = [lesson(options, one.seed, step) for one in members]
        return _tasks([tasks for tasks, _ in made], form), _labels([answers for _, answers in made], form)

    learned = learn(design, form, members, lessons, max(1, round(options.steps * group.fidelity)))
    asked = _tasks([exam(options, group.role, one.seed) for one in members], form)
    weights = {name: value.detach() for name, value in learned.weights.items()}
    levels = [predict(weights, design, asked.first(k), through=False).detach() for k in options.levels]
    answers = torch.stack(levels, 1)  # [members, levels, tasks, questions, outputs]
    return [_output(trial, row, answers[row], learned) for row, trial in enumerate(group.trials)]


def _output(trial: Trial, row: int, answers: Tensor, learned: Learned) -> TrialOutput:
    if not torch.isfinite(answers).all():
        return TrialOutput(trial.id, failure=OutcomeKind.DIVERGED, cause="answers are not finite")
    curve = tuple((seconds, members[row]) for seconds, members in learned.curve)
    rates = {name: float(value[row].exp()) for name, value in learned.weights.items() if name.startswith("rate of")}
    return TrialOutput(trial.id, written(answers.numpy()), facts=rates, curve=curve)


def _tasks(made: list[Episodes], form: Form) -> Tasks:
    inputs, asked = (_stacked([getattr(one, name) for one in made]) for name in ("inputs", "asked"))
    return Tasks(inputs, _labels([one.labels for one in made], form), asked)


def _labels(made: list[np.ndarray], form: Form) -> Tensor:
    """[members, tasks, examples, outputs]; characters as one of all."""
    stacked = _stacked(made)
    if form.symbols:
        return torch.nn.functional.one_hot(stacked.long(), form.outputs).float()
    return stacked[..., None]


def _stacked(arrays: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(arrays).astype(np.float32))


def _rate(trial: Trial, name: str) -> float:
    rate = trial.setting.get(name)
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not rate > 0:
        raise StudyError(f"trial {trial.id!r} of the adaptation arena needs a positive setting {name!r}, not {rate!r}")
    return float(rate)
