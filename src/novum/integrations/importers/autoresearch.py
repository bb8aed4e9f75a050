"""autoresearch's layout: `prepare.py` (fixed), `train.py` (may change), `program.md` (what to do)."""

from __future__ import annotations

from pathlib import Path

from novum.integrations.importers.import_files import (
    Imported,
    constant,
    copied,
    helper,
    imported_modules,
    name_of,
    study_file,
)

HARNESS = "novum_train.py"
_CACHE = Path.home() / ".cache" / "autoresearch"


def import_autoresearch(source: Path, target: Path) -> Imported:
    """Write the study. Raises StudyError."""
    copied(source, target, ("prepare.py", "train.py"))
    (target / HARNESS).write_text(helper(HARNESS))
    scripts = ("prepare.py", "train.py")
    budgets = [constant((target / name).read_text(errors="replace"), "TIME_BUDGET") for name in scripts]
    budget = next((one for one in budgets if one), None)
    seconds = 2.0 * budget if budget else 600.0
    notes = [
        "val_bpb is printed by train.py, which may change: scores are called 'reported by the candidate itself'",
        "train.py runs in a sandbox: no network, no GPU, no files but the study's and those under program.data",
        f"a trial may take {seconds:g} s (limits.seconds), "
        + ("twice the TIME_BUDGET of the scripts" if budget else "as no number could be read as their TIME_BUDGET"),
        "{seed} replaces constant seeds in torch.manual_seed, random.seed and numpy.random.seed",
    ]
    if (target / "program.md").is_file():
        notes.append("program.md is for a language model; without one the code researcher goes its own ways")
    if not _CACHE.exists():
        notes.append(f"{_CACHE} is not there: run prepare.py first, then name it under program.data in study.toml")
    program: dict[str, object] = {
        "metric": "val_bpb",
        "higher_is_better": False,
        "resolution": 0.0005,
        "editable": ["train.py"],
        "command": ["python", HARNESS, "{seed}"],
        "report": {"pattern": r"val_bpb:?\s+([-+]?(?:[\d.]+(?:[eE][-+]?\d+)?|nan|inf))"},
        "packages": imported_modules(target, scripts),
    }
    if _CACHE.exists():
        program["data"] = [str(_CACHE)]
        program["environment"] = {"HOME": str(Path.home())}
    limits = {"seconds": seconds, "memory_bytes": 8 << 30}
    question = "Which change to train.py lowers the validation bits per byte within its time budget?"
    (target / "study.toml").write_text(study_file(name_of(source), question, program, limits))
    return Imported(target, tuple(notes))
