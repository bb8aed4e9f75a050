"""A Slurm cluster of one node in a temporary folder, by the packages slurmctld, slurmd, slurm-client and munge.

Everything listens on loopback and belongs to the user who runs the tests: munged, slurmctld and slurmd in the
foreground, each ended with the test. Nothing of an installed Slurm's configuration is read or changed.
"""

from __future__ import annotations

import getpass
import os
import secrets
import shutil
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")
CPUS = 4
"""That the node says it has, however many there are."""

CONFIGURATION = """
ClusterName=novum
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
MailProg=/bin/true
ReturnToService=2
KillWait=5
MinJobAge=30
NodeName=here NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=all Nodes=here Default=YES MaxTime=60 State=UP
"""


def installed():
    return all(map(_daemon, DAEMONS)) and bool(shutil.which("sbatch"))


def _daemon(name):
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


@contextmanager
def cluster(folder: Path):
    """The value of SLURM_CONF for commands of the cluster, once its node is idle."""
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key, conf = folder / "munge.key", folder / "slurm.conf"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o400)
    ports = {"controller": _free_port(), "node": _free_port()}
    conf.write_text(
        CONFIGURATION.format(folder=folder, user=getpass.getuser(), host=socket.gethostname(), cpus=CPUS, **ports)
    )
    environment = {**os.environ, "SLURM_CONF": str(conf)}
    files = {"key-file": key, "socket": folder / "munge.socket", "pid-file": folder / "munge.pid"}
    files |= {"log-file": folder / "munge.log", "seed-file": folder / "munge.seed"}
    commands = {
        "munged": ["--foreground", "--force", *(f"--{name}={path}" for name, path in files.items())],
        "slurmctld": ["-D", "-i", "-f", str(conf)],
        "slurmd": ["-D", "-N", "here", "-f", str(conf)],
    }
    with ExitStack() as stack:
        for name, arguments in commands.items():
            stack.enter_context(_running([_daemon(name), *arguments], folder / f"{name}.out", environment))
            _until(lambda: (folder / "munge.socket").exists(), folder)
        _until(lambda: "idle" in _said(["sinfo", "--noheader", "--format=%t"], environment), folder)
        yield str(conf)


@contextmanager
def _running(command, log, environment):
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment, start_new_session=True)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _said(command, environment):
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout


def _until(holds, folder, seconds=30.0):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            logs = {one.name: one.read_text()[-2000:] for one in folder.glob("*.out")}
            raise AssertionError(f"the cluster does not come up: {logs}")
        time.sleep(0.1)
