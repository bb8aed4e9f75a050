"""What is proposed on a training script before anything is known of it, and how much of that changes anything.

    python benchmarks/script_edits.py --proposals 60 --json

For each script: `novum adopt`, then so many proposals of each researcher of the adopted study, drawn as if nothing had
been tried, and one run of each on the same seed beside the baseline's. An edit that gives exactly the baseline's score
is without effect; `fixed` counts proposals that the study's protection would refuse (none, if they are drawn well).
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from own_scripts import folders, measured  # noqa: E402

from novum.adopt.adoption import Wishes, adopt  # noqa: E402
from novum.adopt.project import find_project  # noqa: E402
from novum.arenas.program.bundle import unpacked  # noqa: E402
from novum.core.model.candidate import Candidate  # noqa: E402
from novum.core.model.errors import StudyError  # noqa: E402
from novum.core.model.proposal import Proposal  # noqa: E402
from novum.core.model.study_view import StudyView  # noqa: E402
from novum.lab import wiring  # noqa: E402
from novum.registry import Kind, build  # noqa: E402
from novum.studies.load import load_study  # noqa: E402

SEED = 12_345


@dataclass(frozen=True)
class Row:
    """Proposals of one researcher on one script. Shares are of `proposals`."""

    script: str
    researcher: str
    proposals: int
    alive: float
    """Ran to a finite score that differs from the baseline's."""
    idle: float
    """Gave exactly the baseline's score."""
    failed: float
    """Crashed, printed no score, or ended in nan."""
    fixed: int
    better: float
    """Of those that are alive, scored better on this one seed."""
    kinds: dict[str, int]
    """How often each kind of change was proposed, by the first words of its rationale."""


def drawn(view: StudyView, name: str, count: int) -> list[Proposal]:
    """Different proposals of one researcher, none of which knows what came of the others."""
    found: list[Proposal] = []
    known = {Candidate(view.space.validate(view.incumbent)).id}
    researcher = build(Kind.RESEARCHER, name, {})
    for number in range(1, 10 * count):
        if len(found) == count:
            break
        seen = StudyView(view.spec, view.space, number, view.incumbent, (), frozenset(known), compute_limit=1.05)
        said = researcher.propose(seen, random.Random(f"{SEED} {name} {number}"))
        if isinstance(said, Proposal) and (address := Candidate(said.genome).id) not in known:
            known.add(address)
            found.append(said)
    return found


def compared(script: Path, researcher: str, count: int) -> Row:
    """One row."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, script.name)
        shutil.copytree(script, home)
        project = find_project(home, ())
        project.study_file.write_text(adopt(project, Wishes(), lambda _: None).text)
        study = load_study(str(home)).study
        bundle = unpacked(str(study.options["bundle"]))
        problem = wiring.arena(study)
        view = StudyView(problem.spec, problem.space, 1, problem.space.validate({}), (), frozenset())
        base, _ = measured(bundle, {}, SEED)
        ends: Counter[str] = Counter()
        kinds: Counter[str] = Counter()
        proposals = drawn(view, researcher, count)
        for one in proposals:
            kinds[" ".join(one.rationale.split()[:3])] += 1
            try:
                bundle.space.validate(one.genome)
            except StudyError:
                ends["fixed"] += 1
                continue
            score, _ = measured(bundle, one.genome, SEED)
            ends["failed" if score is None else "idle" if score == base else "alive"] += 1
            if score is not None and base is not None and score != base:
                ends["better"] += (score > base) == bundle.program.higher_is_better
            if score is None or score == base:
                print(f"{script.name} {'failed' if score is None else 'idle'}: {one.rationale[:140]}", file=sys.stderr)
    total = max(1, len(proposals))
    return Row(
        script.name, researcher, len(proposals), round(ends["alive"] / total, 3), round(ends["idle"] / total, 3),
        round(ends["failed"] / total, 3), ends["fixed"], round(ends["better"] / max(1, ends["alive"]), 3), dict(kinds),
    )  # fmt: skip


def _words(row: Row) -> str:
    return (
        f"{row.script:12} {row.researcher:6} {row.proposals} proposals: {row.alive:.0%} alive, {row.idle:.0%} idle, "
        f"{row.failed:.0%} failed, {row.fixed} refused, {row.better:.0%} of the live ones better"
    )


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proposals", type=int, default=60)
    parser.add_argument("--researchers", default="code,bayes")
    parser.add_argument("--scripts", default="", help="folders, separated by commas; default: examples/scripts/*")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = []
    for script in folders(given.scripts):
        for researcher in given.researchers.split(","):
            row = compared(script, researcher, given.proposals)
            rows.append(row)
            if not given.json:
                print(_words(row), flush=True)
    if given.json:
        print(json.dumps({"rows": [asdict(row) for row in rows]}, indent=1))


if __name__ == "__main__":
    main()
