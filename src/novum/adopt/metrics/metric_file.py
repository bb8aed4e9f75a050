"""The scores in the files that a run wrote: keys of JSON objects and lines, columns of tables."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

from novum import training_log
from novum.adopt.metrics.metric_line import Metric, take_of
from novum.adopt.metrics.metric_names import higher_is_better, is_metric, preference
from novum.arenas.program.score_in_file import columns
from novum.core.model.trial import ArtefactError


def find_file_metrics(files: Mapping[str, bytes | None]) -> list[Metric]:
    """The scores in files, the likeliest first; what cannot be read is passed over."""
    metrics = sorted((one for one in _every(files) if is_metric(one.name)), key=lambda one: -_points(one))
    return [replace(metric, rank=rank) for rank, metric in enumerate(metrics)]


def named_file_metric(files: Mapping[str, bytes | None], words: str) -> Metric | None:
    """The number under a key or column, whatever it is called: "val_loss", or with its file "results.json: val_loss".

    A whole key counts before the last part of one, and this before a part of its words; None where there is none.
    """
    wanted = words.lower()
    every = sorted(_every(files), key=lambda one: -_points(one))
    ways = (
        lambda one: wanted in (one.name.lower(), f"{one.file}: {one.name}".lower()),
        lambda one: one.name.lower().endswith(f".{wanted}"),
        lambda one: wanted in one.name.lower(),
    )
    return next((one for fits in ways for one in every if fits(one)), None)


def looked_at(files: Mapping[str, bytes | None]) -> str:
    """The files that were looked through, in words."""
    if not files:
        return "it wrote no JSON file and no table (.csv, .tsv, .jsonl) and no log of a tracker"
    names = [path if data is not None else f"{path} (too large)" for path, data in files.items()]
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"nor is there one in the files that it wrote: {', '.join(names[:8])}{more}"


def _every(files: Mapping[str, bytes | None]) -> Iterator[Metric]:
    """All keys and columns that hold numbers and nothing else."""
    for path, data in files.items():
        try:
            found = columns(path, data or b"{}")
        except ArtefactError:
            continue
        for key, cells in found.items():
            values = tuple(one for one in cells if isinstance(one, float))
            if len(values) == len(cells):
                better = higher_is_better(key)
                yield Metric("", key, take_of(key, values, better), len(values), values, better, file=path)


def _points(one: Metric) -> float:
    """How likely a key is that of the result: by its words, and more so where there is one number only."""
    said = 1000 * (one.file == training_log.USUAL)  # what is logged to be read counts before what lies about
    single, none = len(one.values) == 1, all(math.isnan(value) for value in one.values)
    return said + preference(one.name) + 15 * single - 200 * none
