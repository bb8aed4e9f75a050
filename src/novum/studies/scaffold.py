"""`novum new`: a directory with a program that can be improved, ready to run."""

from __future__ import annotations

import importlib.util
import random
import re
from importlib import resources
from pathlib import Path

from novum.core.model.errors import MissingExtra, StudyError

PIXELS, WHITE = 64, 16
FILES = ("study.toml", "classifier.py", "main.py", "prepare.py", "score.py", "README.md")


def scaffold(directory: Path) -> list[Path]:
    """Write the example into a new or empty directory; returns its files. Raises MissingExtra, StudyError."""
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise StudyError(f"{directory} exists and is not empty: choose another name")
    rows = _disguised(_digits())
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", directory.resolve().name).strip("-") or "program"
    written = []
    try:
        (directory / "data").mkdir(parents=True, exist_ok=True)
        for file in FILES:
            kept = f"{file}.in" if file.endswith(".py") else file  # what ends in .py would be taken for a part of Novum
            text = resources.files("novum.studies").joinpath("template", kept).read_text()
            written.append(directory / file)
            written[-1].write_text(text.replace("@NAME@", name))
        written.append(directory / "data" / "digits.csv")
        written[-1].write_text(rows)
    except OSError as error:
        raise StudyError(f"cannot write to {directory}: {error.strerror}") from None
    return written


def _disguised(rows: str) -> str:
    """The same images with their pixels in an order, and some of them inverted, that nobody knows any more.

    What a candidate sees is then no row of a data set that lies about: labels cannot be looked up.
    """
    chance = random.SystemRandom()
    order = chance.sample(range(PIXELS), PIXELS)
    inverted = [chance.random() < 0.5 for _ in order]
    lines = [line.split(",") for line in rows.splitlines()]
    shown = [
        [str(WHITE - int(line[at])) if flip else line[at] for at, flip in zip(order, inverted, strict=True)]
        + line[PIXELS:]
        for line in lines
    ]
    return "\n".join(map(",".join, shown)) + "\n"


def _digits() -> str:
    """scikit-learn's digits as text: 64 grey levels and the label, a row each."""
    if importlib.util.find_spec("sklearn") is None:
        raise MissingExtra("`novum new` copies scikit-learn's digits: pip install 'novum[arenas]'")
    import gzip

    spec = importlib.util.find_spec("sklearn.datasets")
    assert spec and spec.origin
    packed = Path(spec.origin).parent / "data" / "digits.csv.gz"
    try:
        lines = gzip.decompress(packed.read_bytes()).decode().splitlines()
    except OSError as error:
        raise MissingExtra(f"scikit-learn's digits cannot be read ({error.strerror}): reinstall scikit-learn") from None
    return "\n".join(",".join(str(int(float(cell))) for cell in line.split(",")) for line in lines) + "\n"
