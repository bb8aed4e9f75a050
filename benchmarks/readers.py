"""How old is what a reader sees? Many readers beside one writer, all in processes of their own.

    python benchmarks/readers.py --readers 24 --json

The writer appends casual events at the pace of a busy lab; each reader opens the lab and reads, as `novum status` does,
every POLL_SECONDS. A read is as stale as the oldest event that had been appended when it began and was not in it;
whatever one read misses is in the next, which tells. All by one machine's clock.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from novum.core.events.proposals import ProposalRefused
from novum.ledger.journal import Journal, Reader

POLL_SECONDS = 0.05


def read(directory: Path, end: float, answers) -> None:
    """One reader: how stale each of its reads was, in seconds, and the errors that it met."""
    ages, errors, last, before = [], [], 0, 0.0
    while time.time() < end:
        try:
            began = time.time()
            with Reader(directory) as reader:
                new = list(reader.read(last))
            if before and new:
                ages.append(max(0.0, before - new[0].time / 1e6))
            last, before = new[-1].seq if new else last, began
        except Exception as error:
            errors.append(f"{type(error).__name__}: {error}")
        time.sleep(POLL_SECONDS)
    answers.put((ages, errors, last))


def measure(readers: int, seconds: float, directory: Path) -> dict[str, float]:
    """Write for so long beside so many readers."""
    answers = multiprocessing.Queue()
    with Journal(directory) as journal:
        journal.append([ProposalRefused(0, "first")], durable=True)
        end = time.time() + seconds
        processes = [multiprocessing.Process(target=read, args=(directory, end, answers)) for _ in range(readers)]
        for process in processes:
            process.start()
        written = 1
        while time.time() < end - 1.0:
            journal.append([ProposalRefused(written, "x" * 200)], durable=False)
            written += 1
            # As the loop does: what waits for company waits no longer than a moment.
            time.sleep(0.01)
            if written % 3 == 0:
                journal.append([], durable=True)
        journal.flush()
        found = [answers.get() for _ in processes]
        for process in processes:
            process.join()
    ages = sorted(age for one in found for age in one[0])
    return {
        "readers": readers,
        "events": written,
        "errors": sum(len(one[1]) for one in found),
        "lost": sum(written - one[2] for one in found),
        "stale_median_ms": round(1000 * statistics.median(ages), 1),
        "stale_99_ms": round(1000 * ages[int(0.99 * len(ages))], 1),
        "stale_largest_ms": round(1000 * ages[-1], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--readers", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as place:
        found = measure(given.readers, given.seconds, Path(place) / "lab")
    if given.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:16} {value}", file=sys.stdout)


if __name__ == "__main__":
    main()
