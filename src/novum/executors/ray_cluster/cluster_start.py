"""A driver's Ray cluster: one of its own on this machine, or one that is joined. The environment decides how Ray acts.

Ray's authentication is off or on by default depending on version and way of start, so it is asked for here: every
process of the cluster has the token, and a message without it is refused. Ray listens on all interfaces unless its
node's address is 127.0.0.1, and replaces that address by the machine's own unless it is told not to.
Not covered: encryption (a token that travels between machines can be read on the way; Ray's TLS variables pass
through), other processes of the same user, who can read the token.
"""

from __future__ import annotations

import math
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from novum.executors.local.slot import worker_environment
from novum.executors.ray_cluster.actor_plan import ActorPlan

OBJECT_STORE_BYTES = 200_000_000
"""Ray would take 30 % of the machine's memory. Answers below 100 kB do not pass through it; larger ones, of at most
65 MiB, for as long as they take to arrive, and beyond it they go by way of the disk."""
TOKEN_FILE = "auth_token"
RAY_FOLDER = "ray"
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_TQDM": "0", "RAY_LOG_TO_STDERR": "0"}
_TOKEN = {"RAY_AUTH_MODE": "token"}
_ON_LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""What makes Ray keep 127.0.0.1 as its node's address: the name is history, the reading of it is not."""


def driver_environment(outer: Mapping[str, str], mark: str, address: str, own: Path | None) -> dict[str, str]:
    """What the driver process may see of `outer`: as little as a worker, and Ray's variables where it joins a cluster.

    On a cluster of its own all of Ray's processes inherit this environment, so that no key of the lab gets there.
    address: of the cluster to join. own: the folder of one's own; its token lies there.
    """
    ours = {**worker_environment(outer, mark), **_QUIET, **_TOKEN}
    if own is None:
        near = _ON_LOOPBACK if address.startswith("127.") else {}
        return {**{name: value for name, value in outer.items() if name.startswith("RAY_")}, **ours, **near}
    return {**ours, **_ON_LOOPBACK, "RAY_AUTH_TOKEN_PATH": str(own / TOKEN_FILE), "RAY_TMPDIR": str(own / RAY_FOLDER)}


def write_token(folder: Path) -> None:
    """Make the token of a cluster of one's own: 256 random bits in a file that only this user can read."""
    fd = os.open(folder / TOKEN_FILE, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        os.write(fd, secrets.token_hex(32).encode())
    finally:
        os.close(fd)


def token_is_there(outer: Mapping[str, str]) -> bool:
    """Whether the user has a token where Ray looks for it."""
    if outer.get("RAY_AUTH_TOKEN"):
        return True
    named = outer.get("RAY_AUTH_TOKEN_PATH")
    place = Path(named) if named else Path.home() / ".ray" / TOKEN_FILE
    try:
        return bool(place.read_text().strip())
    except OSError:
        return False


def connect(plan: ActorPlan, address: str, own: Path | None) -> None:
    """Start a cluster with its files in `own`, or join the one at `address`. Raises what Ray raises."""
    import ray

    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    if own is None:
        ray.init(address=address, **quiet)
        return
    ray.init(
        address="local",
        num_cpus=max(1, math.ceil(plan.workers * plan.cores)),
        num_gpus=0,  # they are handed out by locks, which other labs on this machine heed as well
        object_store_memory=OBJECT_STORE_BYTES,
        include_dashboard=False,
        _node_ip_address="127.0.0.1",
        _temp_dir=str(own / RAY_FOLDER),
        **quiet,
    )


def address_of_cluster() -> str:
    """Where the cluster is, for others who have its token."""
    import ray

    return str(ray.get_runtime_context().gcs_address)


def lacking(plan: ActorPlan, own: bool) -> str:
    """Why no node of the cluster can ever hold an actor; empty when one can."""
    import ray

    wanted = {"CPU": plan.cores, "memory": float(plan.memory_bytes), "GPU": 0.0 if own else float(plan.gpus)}
    nodes = [one["Resources"] for one in ray.nodes() if one["Alive"]]
    if any(all(has.get(name, 0.0) >= amount for name, amount in wanted.items()) for has in nodes):
        return ""
    asked = ", ".join(f"{amount:g} {name}" for name, amount in wanted.items() if amount)
    return (
        f"no node of the Ray cluster has what a worker asks for ({asked}); there are {len(nodes)} nodes. "
        "Ask for less, or start a node that has it: `ray status` shows what there is"
    )


def actor_maker(plan: ActorPlan, own: bool) -> Any:
    """Starts an actor at each call. Ray repeats nothing: neither a start nor a group."""
    import ray

    from novum.executors.ray_cluster.trial_actor import TrialActor

    asked: dict[str, Any] = {"num_cpus": plan.cores, "num_gpus": 0 if own else plan.gpus}
    if plan.memory_bytes:
        asked["memory"] = plan.memory_bytes
    kind = ray.remote(max_restarts=0, max_task_retries=0, **asked)(TrialActor)
    return lambda: kind.remote(plan)
