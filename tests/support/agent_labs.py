"""Labs for agents to work on, and what agents leave there."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import programs

from novum.agents.agent_session import AgentSession
from novum.agents.agent_task import AgentTask
from novum.core.model.budget import Budget
from novum.core.model.study import ResearcherSettings, ScreeningSettings, Study
from novum.governance.mailbox import FOLDER, Mailbox
from novum.lab.session import session


def program_study(directory: Path, files=(), **changes) -> Study:
    return Study(
        name="guess",
        arena="program",
        seed=3,
        executor="inline",
        options=programs.options(directory / "src", files, **changes),
        researcher=ResearcherSettings("inbox"),
        screening=ScreeningSettings(keep_one_in=1),
    )


@contextmanager
def opened(study: Study, directory: Path):
    with session(study, Budget(wall_seconds=60), directory) as lab:
        yield lab


def waiting(lab: Path) -> list:
    """What lies in a lab's mailbox; nothing else of it may have been written."""
    folder = lab / FOLDER
    strange = [one.name for one in folder.iterdir() if not one.name.endswith(".json")] if folder.exists() else []
    assert not strange
    return Mailbox(lab).waiting()


@dataclass
class Agents:
    """Runs scripted agents on a lab, and keeps what was said."""

    tool: Path
    said: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    def session(self, lab: Path, act: str, *, gateway=None, **task) -> AgentSession:
        command = ("python", str(self.tool / "agents.py"), act, "{brief}")
        given = AgentTask(**{"command": command, "seconds": 20.0, "readable": (self.tool,), **task})
        return AgentSession(lab, given, "agent:tester", gateway, self.said.append, self.shown.append)

    def run(self, lab: Path, act: str, *, send=True, **more):
        return self.session(lab, act, **more).round(send=send)
