"""Are workers busy while a model thinks? Sleeping trials, and a scripted model that takes its time, over real HTTP.

    python benchmarks/models_in_flight.py --latency 10 --workers 8 --trial 3 --seconds 180 --json

`busy` is the share of the workers' time that trials ran, from `--after` seconds on (requests at once grow with need).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
os.environ["PYTHONPATH"] = str(HERE)
os.environ["OMP_NUM_THREADS"] = "1"

from noop_arena import NoopArena  # noqa: E402

from novum.core.events.models_and_people import ModelReplied  # noqa: E402
from novum.core.events.proposals import ProposalMade  # noqa: E402
from novum.core.events.trials import TrialFinished  # noqa: E402
from novum.core.model.budget import Budget  # noqa: E402
from novum.core.model.study import GateSettings, ResearcherSettings, ScreeningSettings, Study  # noqa: E402
from novum.lab.session import session  # noqa: E402


class NappingArena(NoopArena):
    """The Arena port; trials sleep."""

    spec = replace(NoopArena.spec, name="napping", program="napping_trial")


class SlowModel(ThreadingHTTPServer):
    """Answers each request after so many seconds, with a random candidate, by OpenAI's protocol."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, latency: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.latency = latency
        self.random = random.Random(0)
        self.lock = threading.Lock()
        self.now = self.most = 0

    def handle_error(self, request: object, client_address: object) -> None:
        """The lab goes away in the end, with requests in flight."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: SlowModel

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            self.server.now += 1
            self.server.most = max(self.server.most, self.server.now)
            genome = {gene: self.server.random.randrange(40) for gene in "abc"}
        time.sleep(self.server.latency)
        with self.server.lock:
            self.server.now -= 1
        answer = {"genome": genome, "claim": "more", "rationale": "scripted", "probability_percent": 10, "effect": 0.1}
        message = {"role": "assistant", "content": json.dumps(answer)}
        body = {
            "id": "1",
            "object": "chat.completion",
            "created": 0,
            "model": "scripted",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
        }
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


def measured(
    latency: float, workers: int, trial: float, seconds: float, after: float, in_flight: int
) -> dict[str, float]:
    """One campaign."""
    server = SlowModel(latency)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    asking = ResearcherSettings(
        "language", {"model": f"scripted@http://127.0.0.1:{server.server_address[1]}/v1", "in_flight": in_flight,
                     "fallback": "none"}
    )  # fmt: skip
    study = Study(
        "busy", "napping", options={"seconds": trial}, researcher=asking,
        screening=ScreeningSettings(seeds=1, waiting=workers, patience=10_000),
        gate=GateSettings(process="scale-free", claim="typical"),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        budget = Budget(wall_seconds=seconds, tokens=10**9)
        with session(study, budget, Path(folder, "lab"), workers=workers, problem=NappingArena()) as lab:
            lab.run()
            events = [record.event for record in lab.ledger.read()]
    server.shutdown()
    runs = [(one.elapsed - one.wall_seconds, one.elapsed) for one in events if isinstance(one, TrialFinished)]
    inside = sum(max(0.0, min(end, seconds) - max(begin, after)) for begin, end in runs)
    return {
        "busy": round(inside / (workers * (seconds - after)), 4),
        "most_in_flight": server.most,
        "ideas": sum(isinstance(one, ProposalMade) for one in events),
        "answers": sum(isinstance(one, ModelReplied) for one in events),
        "trials": len(runs),
    }


def main() -> None:
    """Print one object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency", type=float, default=10.0, help="seconds that an answer takes")
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--trial", type=float, default=3.0, help="seconds that a trial sleeps")
    parser.add_argument("--seconds", type=float, default=180.0, help="wall seconds of the campaign")
    parser.add_argument("--after", type=float, default=60.0, help="seconds that are not counted, at the beginning")
    parser.add_argument("--in-flight", type=int, default=0, help="requests at once; 0: as many as are needed")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measured(given.latency, given.workers, given.trial, given.seconds, given.after, given.in_flight)
    print(json.dumps(found) if given.json else ", ".join(f"{name} {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
