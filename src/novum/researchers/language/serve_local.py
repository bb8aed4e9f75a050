"""The process that serves the local model: `python -I serve.py GGUF CONTEXT PARENT`. Prints where it listens.

It stands alone: nothing of the lab is imported, and it ends when the lab does, however that ends.
"""

from __future__ import annotations

import os
import select
import sys
import time


def main(path: str, context: int, parent: int) -> None:
    """Serve until the parent is gone."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = path
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.offline = True
    params.n_ctx = context
    params.n_parallel = 1
    params.cpuparams.n_threads = 1  # more threads spin against the trials: measured at a tenth of the speed
    params.cpuparams_batch.n_threads = 1
    params.n_threads_http = 2
    params.warmup = False
    params.ui = False
    params.verbosity = 0
    server = xllamacpp.Server(params)
    # What listens may have printed above: the address goes out by itself, in one write.
    os.write(1, f"{server.listening_address}\n".encode())
    while os.getppid() == parent:
        try:
            readable, _, _ = select.select([0], [], [], 0.5)
            if readable and not os.read(0, 1):
                break  # the lab has closed its end
        except OSError:
            time.sleep(0.5)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
