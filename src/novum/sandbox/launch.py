"""Starting the process that becomes a sandbox."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence

from novum.sandbox.job import SandboxUnavailable


def launch(
    words: Sequence[str], descriptors: Sequence[int], environment: Mapping[str, str], user: int | None
) -> subprocess.Popen[bytes]:
    """Start a process that knows nothing but `environment` and `descriptors`. Raises SandboxUnavailable.

    Its outputs belong to `user`, who may then open them anew by name (/dev/stdout); None: to this user.
    """
    try:
        process = subprocess.Popen(
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
    for stream in (process.stdout, process.stderr):
        if user is not None and stream is not None:
            os.fchown(stream.fileno(), user, user)
    return process
