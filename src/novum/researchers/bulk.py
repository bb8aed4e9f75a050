"""Proposes the best of very many candidates, which a search of the arena's own has tried outside the record.

The search runs in a process of its own beside the lab, on data of the search part alone, for a stated time; that time
is charged to the budget and to this author, and how many candidates were tried is recorded with the proposal. Nothing
that it says of them counts: the lab screens and confirms what is proposed like any other idea.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import IO, Annotated, Any

from annotated_types import Ge, Gt, Le

from novum.core.model.errors import StudyError, UserError
from novum.core.model.ports import SearchedInBulk
from novum.core.model.proposal import Pending, Proposal
from novum.core.model.study_view import StudyView
from novum.researchers.random import success_rate
from novum.text.bounded_json import load_json

LEAST_SECONDS = 1.0
"""Of a search that is worth beginning."""


@dataclass(frozen=True)
class Options:
    """How to search."""

    cpu_seconds: Annotated[float, Gt(0)] = 20.0
    """Of each search; fewer where the budget has less."""
    onward: Annotated[float, Ge(0), Le(1)] = 0.5
    """Share of searches that begin at the incumbent; the others begin at the baseline."""
    random: bool = False
    """Candidates are drawn at random instead of selected: the control."""


class BulkResearcher:
    """The Researcher port. One search at a time; each begins anew, from another seed."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._running: _Search | None = None

    @property
    def pending(self) -> bool:
        """Whether a search is under way."""
        return self._running is not None

    def propose(self, view: StudyView, rng: random.Random) -> Proposal | Pending | None:
        """The best that a search has found, Pending while it runs, None when the budget pays for no other.

        Raises StudyError in an arena without such a search, UserError where it fails.
        """
        if self._running is None:
            most, left = self._options.cpu_seconds, view.means.cpu_seconds
            seconds = most if left is None else min(most, left)
            if seconds < min(LEAST_SECONDS, most):
                return None
            self._running = self._begun(view, seconds, rng)
        found = self._running.result()
        if found is None:
            return Pending()
        self._running = None
        words = f"best of {found['programs']:,} programs, {found['fitness']:.4g} in its own search"
        return Proposal(
            {str(name): text for name, text in found["genome"].items()},
            words,
            probability=success_rate(view),
            searched=int(found["programs"]),
            search_seconds=float(found["cpu_seconds"]),
        )

    def close(self) -> None:
        """End a search that is under way."""
        if self._running:
            self._running.end()
            self._running = None

    def _begun(self, view: StudyView, seconds: float, rng: random.Random) -> _Search:
        space = view.space
        if not isinstance(space, SearchedInBulk) or not space.searcher:
            raise StudyError(f"researcher 'bulk': arena {view.spec.name!r} has no search of its own; choose another")
        start = view.incumbent if rng.random() < self._options.onward else view.spec.baseline
        request = {"options": dict(space.search_options), "seed": rng.getrandbits(31), "cpu_seconds": seconds}
        return _Search(space.searcher, {**request, "random": self._options.random, "start": dict(start)})


class _Search:
    """A process that searches, and what it has written."""

    def __init__(self, module: str, request: dict[str, Any]) -> None:
        self._module = module
        self._out: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 closed when the search ends
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, json.dumps(request)],
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=self._errors,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            start_new_session=True,  # Ctrl-C is for the lab, which ends the search itself
        )

    def result(self) -> dict[str, Any] | None:
        """What was found, None while the search runs. Raises UserError where it failed."""
        status = self._process.poll()
        if status is None:
            return None
        with self._out, self._errors:
            self._out.seek(0)
            self._errors.seek(0)
            lines, errors = self._out.read().splitlines(), self._errors.read().decode(errors="replace").splitlines()
        if status or not lines:
            why = errors[-1] if errors else f"status {status}"
            raise UserError(f"the search of {self._module} ended without a result: {why}")
        found: dict[str, Any] = load_json(lines[-1])
        return found

    def end(self) -> None:
        """Stop it."""
        self._process.kill()
        self._process.wait()
        self._out.close()
        self._errors.close()
