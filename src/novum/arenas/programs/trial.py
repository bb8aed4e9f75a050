"""The worker's side: a program lives through the task of each trial; what it said goes out unscored."""

from __future__ import annotations

import numpy as np

from novum.arenas.programs.arena import ProgramsArena
from novum.arenas.programs.episode_kernel import whole_life
from novum.arenas.programs.options import Options
from novum.arenas.programs.search import places
from novum.arenas.programs.tasks import Floats, Task, make
from novum.core.model.candidate import Candidate
from novum.core.model.trial import Trial, TrialGroup, TrialOutput
from novum.symbolic.machine import LANES, Layout, MachineCode, assembled


def warm() -> None:
    """Compile, or load what was compiled before."""
    options = {"features": 2, "examples": 10, "scored": 5}
    run(TrialGroup("warm", Candidate({}), (Trial("warm", 0),), options))


def run(group: TrialGroup) -> list[TrialOutput]:
    """One output per trial, in their order: what `score` describes. `fidelity` is of no use: lives are short."""
    options = Options.taken(group.options)
    space = ProgramsArena(options).space
    program = space.program(space.validate(group.candidate.genome))
    out = []
    for trial in group.trials:
        task = make(options, group.role, trial.seed)
        layout = Layout(space.language, task.examples.shape[1])
        said = live_through(assembled(program, layout), layout, task, options)
        out.append(TrialOutput(trial.id, said.astype("<f8").tobytes(), facts={"instructions": float(len(program))}))
    return out


def live_through(code: MachineCode, layout: Layout, task: Task, options: Options) -> Floats:
    """What a program said at the scored steps, flat."""
    said, memory = np.zeros(task.truth.size), layout.memory()
    examples, labels, first = (np.ascontiguousarray(x).reshape(-1) for x in (task.examples, task.labels, task.first))
    plan = np.array([0, len(task.examples), task.trained, task.scored_from, task.width * LANES], np.uint64)
    where = places(layout, options)
    whole_life(memory, code.words, code.constants, code.bounds, where, examples, labels, first, plan, said)
    return said
