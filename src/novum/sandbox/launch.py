"""Starting the process that becomes a sandbox."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

from novum.sandbox.job import SandboxUnavailable


def launch(words: Sequence[str], descriptors: Sequence[int], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a process that knows nothing but `environment` and `descriptors`. Raises SandboxUnavailable."""
    try:
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd="/",
            pass_fds=descriptors,
            bufsize=0,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise SandboxUnavailable(f"{words[0]} could not be started: {error}") from error
