"""autoresearch's layout: `prepare.py` (fixed), `train.py` (may change), `program.md` (what to do)."""

from __future__ import annotations

from pathlib import Path

from novum.integrations.importers.import_files import Imported, constant, copied, helper, name_of, study_file
from novum.integrations.importers.required_modules import distribution_of, missing_modules, modules_of

HARNESS = "novum_train.py"
_CACHE = Path.home() / ".cache" / "autoresearch"
_SCRIPTS = ("prepare.py", "train.py")
_PATTERN = r"val_bpb\s*[:=]?\s*([-+]?(?:[\d.]+(?:[eE][-+]?\d+)?|nan|inf))"


def import_autoresearch(source: Path, target: Path) -> Imported:
    """Write the study. Raises StudyError."""
    with copied(source, target, _SCRIPTS):
        (target / HARNESS).write_text(helper(HARNESS))
        texts = [(target / name).read_text(errors="replace") for name in _SCRIPTS]
        budget = next((one for one in (constant(text, "TIME_BUDGET") for text in texts) if one), None)
        seconds = 2.0 * budget if budget else 600.0
        modules = modules_of(target, _SCRIPTS)
        program: dict[str, object] = {
            "metric": "val_bpb",
            "higher_is_better": False,
            "resolution": 0.0005,
            "editable": ["train.py"],
            "command": ["python", HARNESS, "{seed}"],
            "report": {"pattern": _PATTERN},
            "packages": sorted(modules.needed),
        }
        if _CACHE.exists():
            program["data"] = [str(_CACHE)]
            program["environment"] = {"HOME": str(Path.home())}
        limits = {"seconds": seconds, "memory_bytes": 8 << 30}
        question = "Which change to train.py lowers the validation bits per byte within its time budget?"
        (target / "study.toml").write_text(study_file(name_of(source), question, program, limits))
        notes = _notes(target, seconds, budget is not None, "\n".join(texts), missing_modules(modules))
    return Imported(target, tuple(notes))


def _notes(target: Path, seconds: float, is_read: bool, text: str, missing: list[str]) -> list[str]:
    notes = [
        "val_bpb is printed by train.py, which may change: scores are called 'reported by the candidate itself'; the "
        "last number printed after val_bpb counts, and lower is better",
        "train.py runs in a sandbox: no network, no GPU, no files but the study's and those under program.data",
        f"a trial may take {seconds:g} s (limits.seconds), "
        + ("twice the TIME_BUDGET of the scripts" if is_read else "a guess: no number could be read as TIME_BUDGET"),
        "memory of a trial: 8 GiB (limits.memory_bytes), a guess",
        "{seed} replaces constant seeds in torch.manual_seed, random.seed and numpy.random.seed",
    ]
    if "val_bpb" not in text:
        notes.append("neither train.py nor prepare.py names val_bpb: have train.py print it, or change report.pattern")
    if missing:
        how = " ".join(map(distribution_of, missing))
        notes.append(
            f"not installed where Novum runs, so trials cannot start yet: {', '.join(missing)}: pip install {how}"
        )
    if "cuda" in text:
        notes.append("the scripts name cuda: where they need it, they cannot run in a sandbox as they are")
    if (target / "program.md").is_file():
        notes.append("program.md is for a language model; without one the code researcher goes its own ways")
    if not _CACHE.exists() and ".cache" in text:
        notes.append(f"{_CACHE} is not there: run prepare.py first, then name it under program.data in study.toml")
    return notes
