"""The arena as the loop sees it: a bundle, a space of source trees, and a scorer in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from novum.arenas.program.artefact import Artefact, unpack
from novum.arenas.program.bundle import Bundle, unpacked
from novum.arenas.program.reported_score import reported_values
from novum.arenas.program.run_stages import SEEDS, Stage, candidate_seed, score_of
from novum.arenas.program.scorer import SCORER
from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.candidate import Cost, Genome, Setting
from novum.core.model.errors import StudyError
from novum.core.model.metric import Metric, Score
from novum.core.model.trial import ArtefactError, Role, Trial, TrialGroup
from novum.sandbox import sandbox_status
from novum.source.space import SourceSpace

OUTSIDE = "scored outside the sandbox"
REPORTED = "reported by the candidate itself"


@dataclass(frozen=True)
class ProgramArena:
    """The Arena port for the program in the option `bundle`. Raises StudyError when there is none."""

    options: Setting = field(default_factory=dict, repr=False)
    bundle: Bundle = field(init=False, repr=False)
    space: SourceSpace = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.options) - {"bundle"}):
            raise StudyError(f"options: the program arena has no option {unknown[0]!r}; see its README")
        if "bundle" not in self.options:
            raise StudyError("options: a program study is run by its directory: `novum run DIR`, see `novum new DIR`")
        bundle = unpacked(str(self.options["bundle"]))
        object.__setattr__(self, "bundle", bundle)
        object.__setattr__(self, "space", bundle.space)

    @property
    def spec(self) -> ArenaSpec:
        program = self.bundle.program
        return ArenaSpec(
            name="program",
            question="",
            metric=program.metric,
            higher_is_better=program.higher_is_better,
            resolution=program.resolution,
            program="novum.arenas.program.trial",
            group_size=program.parallel_trials,
            tuning=({},),
            baseline={},
            requires=() if program.python else program.packages,
            summary=f"The program {self.bundle.name}, of which {', '.join(program.editable)} may change.",
            floor=program.floor,
            ceiling=program.ceiling,
            bounds=program.bounds,
            log=program.log,
            metrics=tuple(Metric(one.name, one.higher_is_better, one.resolution, one.log) for one in program.metrics),
            fixed_data=program.fixed_data,
            shifted_data="{role}" in " ".join(program.score) and not program.fixed_data,
            trust=OUTSIDE if program.score else REPORTED,
            gpus=program.gpus,
        )

    @property
    def isolation(self) -> str:
        """The weakest sandbox tier that will do."""
        return self.bundle.program.isolation

    def score(self, group: TrialGroup, trial: Trial, artefact: bytes) -> Score:
        """The metrics of what the candidate left, by the user's scorer or by the candidate's own report."""
        left, program = unpack(artefact), self.bundle.program
        _check_ended(left)
        if program.report:
            said = reported_values(program, left)
        else:
            said = SCORER.score(str(self.options["bundle"]), trial.seed % SEEDS, group.role, left.outputs)
        return score_of(said, tuple(one.name for one in program.metrics))

    def per_example(self, group: TrialGroup, trial: Trial, artefact: bytes, role: Role) -> Sequence[float]:
        """What the scorer wrote as `examples`: correctness of each example of a part, in a fixed order."""
        del group
        left = unpack(artefact)
        _check_ended(left)
        said = SCORER.score(str(self.options["bundle"]), trial.seed % SEEDS, role, left.outputs)
        marks = said.get("examples")
        if not isinstance(marks, list) or not marks or not all(_is_mark(mark) for mark in marks):
            raise ArtefactError("with fixed_data the scorer must write examples: a list of numbers in [0, 1]")
        return [float(mark) for mark in marks]

    def guessed(self, group: TrialGroup, trial: Trial) -> Sequence[str]:
        """Obvious ways to the truth: the candidate's own seed, and those that people take."""
        del group
        bundle = self.bundle
        if not bundle.program.truth or bundle.program.fixed_data:
            return ()
        stage = Stage(bundle, sandbox_status().tier)
        _, truth = stage.prepared(trial.seed % SEEDS)
        own = candidate_seed(trial.seed)
        tries = {"the seed that a candidate is told": own, "one more than it": own + 1, "0": 0, "1": 1, "42": 42}
        found = [words for words, seed in tries.items() if stage.prepared(seed % SEEDS)[1] == truth]
        return found if len(found) < len(tries) else ["any seed"]

    def data_hashes(self) -> Mapping[str, str]:
        """SHA-256 of the whole bundle: the table and every file, hidden ones included."""
        return {self.bundle.name: self.bundle.digest}

    def hidden_files(self) -> Set[str]:
        """The truth, and all that the scorer reads."""
        return self.bundle.hidden_names

    def cost(self, genome: Genome) -> Cost:
        """Nothing is known of a program before it runs. Raises StudyError for a genome that is none of the space."""
        self.space.validate(genome)
        return Cost()


def _check_ended(left: Artefact) -> None:
    if left.ended is not None:
        raise ArtefactError(left.cause, left.ended)


def _is_mark(mark: object) -> bool:
    return isinstance(mark, int | float) and 0 <= mark <= 1
