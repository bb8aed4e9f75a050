"""The few files of /etc that ordinary programs expect, made for the candidate: a user, a home, localhost.

Nothing of the machine's own is in them. Only tier A has a file system to put them into; at tier B the environment names
the user, and the machine's own tables of hosts, services and protocols can be read (visible_paths.py).
"""

from __future__ import annotations

USER = "novum"
STREAMS = ("stdin", "stdout", "stderr")
"""Names below /dev of what a program reads from and writes to."""
_HOSTS = b"127.0.0.1 localhost\n::1 localhost ip6-localhost\n"
_SWITCH = b"".join(f"{table}: files\n".encode() for table in ("passwd", "group", "hosts", "services", "protocols"))
_PROTOCOLS = b"ip 0 IP\nicmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\nipv6 41 IPv6\n"
_SERVICES = b"".join(
    f"{name} {port}/{kind}\n".encode()
    for name, port in (("ssh", 22), ("domain", 53), ("http", 80), ("https", 443))
    for kind in ("tcp", "udp")
)


def etc_files(user: int, group: int, home: str) -> dict[str, bytes]:
    """Path to content of the files made for a candidate with the ids `user` and `group`."""
    return {
        "/etc/passwd": f"{USER}:x:{user}:{group}:{USER}:{home}:/bin/sh\n".encode(),
        "/etc/group": f"{USER}:x:{group}:\n".encode(),
        "/etc/hosts": _HOSTS,
        "/etc/nsswitch.conf": _SWITCH,
        "/etc/protocols": _PROTOCOLS,
        "/etc/services": _SERVICES,
    }
