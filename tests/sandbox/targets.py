"""What the attacks aim at, and a program that runs them all in one tier: for other users and other interpreters.

python targets.py TIER
"""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from novum.sandbox import Bounds, Job, SandboxUnavailable, Tier, run
from novum.sandbox.tiers.unsafe import run_without_sandbox

MIB = 1 << 20
SOURCES = {
    name: Path(__file__).with_name(name).read_bytes()
    for name in ("attacks.py", "attack_tools.py", "host_attacks.py", "memory_attacks.py")
}
sys.path.insert(0, str(Path(__file__).parent))
SMALL = Bounds(
    seconds=30.0, cpu_seconds=30.0, memory_bytes=128 * MIB, processes=24, file_bytes=8 * MIB, disk_bytes=16 * MIB
)
# Each of these ends the whole job where only the watchdog stops it, so they run in jobs of their own.
GREEDY = (
    "many_forks", "much_memory", "fill_disk", "fill_temporary", "fill_shared_memory", "shared_memory_given_back",
    "shared_memory_of_a_sleeper", "zero_device", "socket_buffers", "tcp_buffers",
)  # fmt: skip


class Outside:
    """What attacks aim at: files, sockets and processes outside the sandbox, all owned by the user under attack."""

    def __init__(self, folder: Path, stack: ExitStack, user: int | None = None) -> None:
        self.folder = folder
        self.token = "token-" + secrets.token_hex(8)
        for name in ("secret", "labels", "id_rsa", "victim", "victim-2", "victim-3"):
            (folder / name).write_text(self.token if "victim" not in name else "untouched")
        self.tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.free_port = free.getsockname()[1]
        self.abstract = f"novum-{self.token}"
        self.unix = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(2)]
        self.unix[0].bind("\0" + self.abstract)
        self.unix[1].bind(str(folder / "socket"))
        for end in self.unix:
            end.listen(64)
        self.datagrams = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        self.datagrams.bind(str(folder / "datagrams"))
        self.sibling = subprocess.Popen(
            ["/bin/sleep", "600"], env={"KEY": self.token}, **({"user": user, "group": user} if user else {})
        )
        stack.callback(self._end)
        self.parent = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()", self.token],
            stdin=subprocess.PIPE,
            env={"KEY": self.token},
        )
        for path in (folder, *folder.iterdir()):
            path.chmod(0o777 if path.is_dir() or path.is_socket() else 0o666)
            if user:
                os.chown(path, user, user)

    def _end(self) -> None:
        for process in (self.sibling, self.parent):
            process.kill()
            process.wait()
        self.parent.stdin.close()

    def targets(self, limits: Bounds, tier: Tier, **more) -> dict:
        return {
            "token": self.token,
            "secret": str(self.folder / "secret"),
            "labels": str(self.folder / "labels"),
            "ssh": str(self.folder / "id_rsa"),
            "outside": str(self.folder),
            "victim_file": str(self.folder / "victim"),
            "victim_file_2": str(self.folder / "victim-2"),
            "victim_file_3": str(self.folder / "victim-3"),
            "port": self.tcp.getsockname()[1],
            "free_port": self.free_port,
            "private_network": tier is Tier.NAMESPACES,
            "private_init": tier is Tier.NAMESPACES,
            "abstract": self.abstract,
            "socket": str(self.folder / "socket"),
            "datagrams": str(self.folder / "datagrams"),
            "parent": self.parent.pid,
            "sibling": self.sibling.pid,
            "file_bytes": limits.file_bytes,
            "disk_bytes": limits.disk_bytes,
            "memory_bytes": limits.memory_bytes,
            "tasks": 400,
            **more,
        }

    def was_touched(self) -> list[str]:
        """What the attacks changed outside, seen from outside."""
        touched = [f"{name} was changed" for name in ("victim", "victim-2", "victim-3") if self._differs(name)]
        touched += [f"{name} appeared" for name in ("written", "made") if (self.folder / name).exists()]
        touched += ["the sibling was killed"] if self.sibling.poll() is not None else []
        self.tcp.setblocking(False)
        try:
            self.tcp.accept()[0].close()
            touched.append("a connection over loopback")
        except BlockingIOError:
            pass
        return touched

    def _differs(self, name: str) -> bool:
        path = self.folder / name
        return not path.exists() or path.read_text() != "untouched" or path.stat().st_mode & 0o777 != 0o666


def attack_job(outside: Outside, tier: Tier, limits: Bounds = SMALL, **more) -> Job:
    targets = json.dumps(outside.targets(limits, tier, **more))
    return Job(("python", "attacks.py", targets), SOURCES, limits=limits)


def siege(tier: Tier) -> dict:
    """Run every attack at `tier`: which worked and how, how the greedy ones ended, and what changed outside."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="novum-outside-", dir="/var/tmp"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        outside = Outside(folder, stack)
        act = run_without_sandbox if tier is Tier.NONE else lambda job: run(job, tier)
        names = [name for name in _names() if name not in GREEDY]
        ended = act(attack_job(outside, tier, only=names))
        if ended.kind is not None:
            raise RuntimeError(f"{ended.kind} {ended.cause} {ended.stderr}")
        worked, stopped = json.loads(ended.stdout), {}
        for name in GREEDY:
            ended = act(attack_job(outside, tier, only=[name]))
            worked |= json.loads(ended.stdout) if ended.kind is None else {}
            stopped[name] = f"{ended.kind or 'refused'}: {ended.cause}"
        return {"worked": worked, "stopped": stopped, "touched": outside.was_touched()}


def _names() -> list[str]:
    import attacks

    return [attack.__name__ for attack in attacks.ATTACKS]


if __name__ == "__main__":
    try:
        print(json.dumps(siege(Tier(sys.argv[1]))))
    except SandboxUnavailable as error:
        print(json.dumps({"unavailable": str(error)}))
