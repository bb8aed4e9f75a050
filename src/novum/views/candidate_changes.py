"""What a candidate changes, for every face: genes by name, programs by the values and lines that differ."""

from __future__ import annotations

from functools import lru_cache

from novum.arenas.program.bundle import unpacked
from novum.core.model.candidate import Change, Genome, change_text, changes, genome_text
from novum.core.model.errors import StudyError
from novum.core.model.study import Study
from novum.source.change_words import program_changes, program_words
from novum.source.space import SourceSpace


def changes_of(study: Study | None, candidate: Genome, incumbent: Genome) -> list[Change]:
    """What a candidate changes in its incumbent, in rows."""
    space = _space(study)
    return program_changes(space, candidate, incumbent) if space else changes(candidate, incumbent)


def change_words(study: Study | None, candidate: Genome, incumbent: Genome, length: int = 60) -> str:
    """The same as plain text of at most `length` characters: LR 0.01→0.003, BATCH 32→16."""
    space = _space(study)
    if space is None:
        return change_text(candidate, incumbent, length)
    return program_words(space, candidate, incumbent, length)


def candidate_words(study: Study | None, genome: Genome, length: int = 300) -> str:
    """A candidate as plain text: its genes or, for a program, what it changes in the baseline."""
    space = _space(study)
    if space is None:
        return genome_text(genome)
    return program_words(space, genome, {}, length) if genome else genome_text(genome)


def is_program(study: Study | None) -> bool:
    """Whether the candidates of a study are programs, which are shown by what they change."""
    return _space(study) is not None


def parameter_names(study: Study | None) -> tuple[str, ...]:
    """The parameters of a study of a program; none for other studies."""
    space = _space(study)
    return tuple(one.name for one in space.parameters) if space else ()


class CandidateWords:
    """`novum.core.events.event.Words` for all studies."""

    def change(self, study: Study | None, candidate: Genome, incumbent: Genome) -> str:
        return change_words(study, candidate, incumbent, 300)

    def candidate(self, study: Study | None, genome: Genome) -> str:
        return candidate_words(study, genome)


def _space(study: Study | None) -> SourceSpace | None:
    if study is None or study.arena != "program":
        return None
    return _unpacked(str(study.options.get("bundle", "")))


@lru_cache(maxsize=16)
def _unpacked(bundle: str) -> SourceSpace | None:
    try:
        return unpacked(bundle).space
    except StudyError:
        return None
