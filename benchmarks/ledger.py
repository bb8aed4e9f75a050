"""How fast is the ledger at scale? A campaign of a million events: append, open, verify, and bytes on disk.

    python benchmarks/ledger.py --events 1000000 --json      # about five minutes, most of it to make the campaign

The campaign is a real one (groups of eight no-op trials, real loop, gate, signatures), so that `verify` has something
to verify. `append` writes its dispatches and outcomes again, in batches of a thousand, into an empty ledger.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from novum.lab.session import session

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
os.environ["PYTHONPATH"] = str(HERE)

from noop_arena import NoopArena  # noqa: E402

from novum import api  # noqa: E402
from novum.core.events.trials import GroupDispatched, TrialFinished  # noqa: E402
from novum.core.model.budget import Budget  # noqa: E402
from novum.core.model.study import ScreeningSettings, Study  # noqa: E402
from novum.ledger.journal import Journal, Reader  # noqa: E402
from novum.ledger.snapshot import NAME  # noqa: E402

BATCH = 1000


class Grouped(NoopArena):
    """Eight trials a group, swept over three settings, as arenas that train networks are."""

    spec = dataclasses.replace(NoopArena.spec, group_size=8, tuning=({"lr": 1}, {"lr": 2}, {"lr": 3}))


def grow(directory: Path, events: int) -> int:
    """Run a campaign until its ledger has this many events; returns how many it has."""
    study = Study("scale", "noop", executor="inline", screening=ScreeningSettings())
    with session(study, Budget(wall_seconds=1e8), directory, workers=1, problem=Grouped()) as lab:

        def enough(_: object) -> None:
            lab.draining = lab.state.revision >= events

        lab.observe = enough
        lab.run()
    with Reader(directory) as reader:
        return sum(1 for _ in reader.rows())


def append(source: Path, directory: Path, events: int) -> float:
    """Events a second (wall) when dispatches and outcomes are appended in durable batches."""
    with Reader(source) as reader:
        known = (r.event for r in reader.read() if isinstance(r.event, GroupDispatched | TrialFinished))
        sample = list(itertools.islice(known, min(events, 100_000)))
    with Journal(directory) as journal:
        began = time.perf_counter()
        for first in range(0, len(sample), BATCH):
            journal.append(sample[first : first + BATCH], durable=True)
        return len(sample) / (time.perf_counter() - began)


def timed(action) -> float:
    """CPU seconds of a call."""
    began = time.process_time()
    action()
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--lab", type=Path, help="keep the campaign here, and use it again")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        directory = chosen.lab or Path(scratch) / "lab"
        began = time.process_time()
        events = grow(directory, chosen.events)
        made = time.process_time() - began
        result = {
            "events": events,
            "made_seconds": round(made, 1),
            "append_per_second": round(append(directory, Path(scratch) / "again", events)),
            "open_seconds": round(timed(lambda: api.read_lab(directory)), 2),
            "bytes_per_event": round((directory / "lab.db").stat().st_size / events),
            "snapshot_bytes": (directory / NAME).stat().st_size if (directory / NAME).exists() else 0,
        }
        (directory / NAME).unlink(missing_ok=True)
        result["open_without_snapshot_seconds"] = round(timed(lambda: api.read_lab(directory)), 2)
        verified = []
        result["verify_seconds"] = round(timed(lambda: verified.append(api.verify(directory, arena=Grouped()))), 2)
        result["verified"] = verified[0].ok
    print(json.dumps(result) if chosen.json else "\n".join(f"{key:<30} {value}" for key, value in result.items()))


if __name__ == "__main__":
    main()
