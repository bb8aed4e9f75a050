"""The score in one of several files, where a study names them by a glob: one file, or one folder, has the key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from novum.arenas.program.logs.event_file import is_event_file, scalars
from novum.arenas.program.manifest import Report
from novum.arenas.program.score_in_file import counting, numbers_under
from novum.core.model.trial import ArtefactError


def score_in_files(report: Report, files: Mapping[str, bytes], key: str = "") -> float:
    """The number that counts under a key. files: those that fit the glob of the report, by path.

    A writer of TensorBoard that is opened again begins another file: those of one folder are one log, in the order of
    their wall times. Raises ArtefactError where no file has the key, or files of which nothing says which one counts.
    """
    key = key or report.key
    held: dict[str, list[float | str]] = {}
    refused = ""
    for path in sorted(files):
        try:
            held[path] = numbers_under(path, files[path], key)
        except ArtefactError as error:
            # Names of files are of one run only, and what is recorded is the same for every run of a candidate.
            refused = refused or str(error).replace(path, report.file)
    if not held:
        raise ArtefactError(refused or f"{report.file} is missing: the run wrote no such file")
    if len(held) == 1:
        return counting(report, report.file, key, *held.values())
    folders = {str(PurePosixPath(path).parent) for path in held}
    if len(folders) > 1 or not all(map(is_event_file, held)):
        raise ArtefactError(
            f"{len(held)} files that fit {report.file} have {key!r}, in {len(folders)} folder(s): report.file must fit "
            "one of them, or the event files of one folder"
        )
    points = [one for path in held for one in scalars(path, files[path]) if one.tag == key]
    points.sort(key=lambda one: one.wall_time)
    return counting(report, report.file, key, [one.value for one in points])
