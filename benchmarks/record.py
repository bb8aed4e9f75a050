"""Run a benchmark and keep its result with the command, the machine and the date, as the pages of docs/ quote it.

python benchmarks/record.py docs/results/holdout.json holdout.py --repeats 20
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from datetime import UTC, datetime
from os import cpu_count
from pathlib import Path

HERE = Path(__file__).parent


def processor() -> str:
    """The processor's name, as Linux gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def main() -> None:
    target, script, *words = sys.argv[1:]
    done = subprocess.run([sys.executable, str(HERE / script), *words, "--json"], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    result = {
        "command": " ".join(["python", f"benchmarks/{script}", *words, "--json"]),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{cpu_count()} x {processor()}, Python {platform.python_version()}",
        "result": json.loads(done.stdout),
    }
    Path(target).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
