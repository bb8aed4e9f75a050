"""The candidate's own word on its score, as a study asks for it: what it printed, or a file that it left."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from novum.arenas.program.artefact import Artefact
from novum.arenas.program.manifest import Program, Report
from novum.arenas.program.printed_score import printed_score
from novum.arenas.program.score_in_file import score_in_file
from novum.arenas.program.score_in_files import score_in_files
from novum.core.model.trial import ArtefactError
from novum.sandbox.glob_files import fits_glob, is_glob
from novum.text.bounded_json import load_json

_SAID = 4000
_REMARK, _MOST_REMARKS = 500, 8


def score_of_run(report: Report, printed: str, files: Mapping[str, bytes]) -> float | str | None:
    """The score of one run, or what was printed in its place; None where nothing fits. Raises ArtefactError."""
    if report.pattern:
        return printed_score(report, printed)
    return _score(report, files)


def said_of(program: Program, printed: str, files: Mapping[str, bytes]) -> str:
    """What of a run its record keeps as the candidate's word. Raises ArtefactError.

    No more than the score rests on, since the rest, times above all, may differ from run to run.
    """
    report = program.report
    if report is None or report.file in program.output_names:
        return ""
    if report.file:
        return json.dumps(_values_in(program, report, files), sort_keys=True)
    found = [one[0] for one in re.finditer(report.pattern, printed)]
    if report.take != "last":
        return "\n".join(found)[-_SAID:]
    return found[-1][-_SAID:] if found else ""


def reported_values(program: Program, left: Artefact) -> Mapping[str, Any]:
    """The score as `value`, and the further metrics, in what a trial left. Raises ArtefactError."""
    report = program.report
    assert report
    if report.pattern:
        value = printed_score(report, left.said)
        if value is None:
            raise ArtefactError(f"nothing that was printed fits the pattern {report.pattern!r}")
        return {"value": value}
    if report.file in program.output_names:
        return _values_in(program, report, left.outputs)
    try:
        said = load_json(left.said)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise ArtefactError(f"nothing is recorded of {report.file}")
    return said


def _values_in(program: Program, report: Report, files: Mapping[str, bytes]) -> dict[str, float]:
    further = {one.name: _score(report, files, one.name) for one in program.metrics}
    return {**further, "value": _score(report, files)}


def _score(report: Report, files: Mapping[str, bytes], key: str = "") -> float:
    if is_glob(report.file):
        fitting = {path: data for path, data in files.items() if fits_glob(path, report.file)}
        return score_in_files(report, fitting, key)
    if report.file not in files:
        raise ArtefactError(f"{report.file} is missing: the run did not write it")
    return score_in_file(report, files[report.file], key)


def remarks_of(said: object) -> str:
    """What a scorer says to whoever proposes next: a text, or texts by their names, each bounded."""
    if isinstance(said, Mapping):
        return "\n".join(f"{name}: {str(value)[:_REMARK]}" for name, value in list(said.items())[:_MOST_REMARKS])
    return said if isinstance(said, str) else ""
