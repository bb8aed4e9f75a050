"""Write down what the importable novum says about the labs here: `python tests/golden/capture.py [LAB/CASE ...]`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import test_golden as golden


def main(only: list[str]) -> None:
    """Write the expected files of all cases, or of those whose names begin with one of `only`."""
    with tempfile.TemporaryDirectory() as scratch:
        places: dict[str, Path] = {}
        for case in golden.CASES:
            if only and not case.startswith(tuple(only)):
                continue
            lab = case.partition("/")[0]
            if lab not in places:
                places[lab] = golden.unpacked(lab, Path(scratch) / lab)
            path = golden.expected_file(case)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(golden.outcome(case, places[lab]), encoding="utf-8")
    if not only:
        for path in golden.EXPECTED.rglob("*.txt"):
            if path.relative_to(golden.EXPECTED).with_suffix("").as_posix() not in golden.CASES:
                path.unlink()


if __name__ == "__main__":
    main(sys.argv[1:])
