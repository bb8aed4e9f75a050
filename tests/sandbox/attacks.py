"""Attacks on a sandbox, as data: a program that tries each and prints which worked. Standard library only.

    python attacks.py '{"secret": "/path", ...}'

Each attack is a function of the targets; what it returns when it worked tells how, and raising means that it was
stopped. Every one runs in a forked process of its own. Nothing here harms: signals go to a victim made for it, the
clock is set to what it shows, no packet leaves the machine.
"""

# ruff: noqa: PTH101, PTH102, PTH104, PTH108, PTH109, PTH115, PTH116, PTH120, PTH123, PTH208, PTH211
import ctypes
import errno
import json
import mmap
import os
import resource
import select
import signal
import socket
import stat
import sys
import time

import host_attacks
import memory_attacks
from attack_tools import X86, C, Stopped, attacks_of, numbered, syscall

SECONDS = 4.0


def content(path):
    with open(path, "rb") as file:
        return file.read(1 << 16)


def others():
    mine = {os.getpid(), os.getppid()}
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) not in mine]


def found(data, targets):
    if targets["token"].encode() in data:
        return "the token was read"
    raise Stopped


def read_secret(t):
    return found(content(t["secret"]), t)


def read_hidden_labels(t):
    return found(content(t["labels"]), t)


def read_home_ssh(t):
    return found(content(t["ssh"]), t)


def read_etc_passwd(t):
    return "read" if b"root:" in content("/etc/passwd") else None


def list_outside(t):
    return f"{os.listdir(t['outside'])}"


def stat_outside(t):
    return f"{os.stat(t['secret']).st_size} bytes"


def chdir_outside(t):
    os.chdir(t["outside"])
    return "went there"


def write_outside(t):
    with open(t["outside"] + "/written", "w") as file:
        file.write("here")
    return "written"


def append_outside(t):
    with open(t["victim_file"], "a") as file:
        file.write("here")
    return "appended"


def truncate_outside(t):
    os.truncate(t["victim_file"], 0)
    return "truncated"


def remove_outside(t):
    os.unlink(t["victim_file_2"])
    return "removed"


def mkdir_outside(t):
    os.mkdir(t["outside"] + "/made")
    return "made"


def chmod_outside(t):
    os.chmod(t["victim_file"], 0o640)
    return "changed"


def utime_outside(t):
    os.utime(t["victim_file"], (1, 1))
    return "changed"


def chown_outside(t):
    os.chown(t["victim_file"], os.getuid(), os.getgid())
    return "changed"


def setxattr_outside(t):
    os.setxattr(t["victim_file"], "user.novum", b"x")
    return "changed"


def link_outside(t):
    os.link(t["secret"], "linked")
    return found(content("linked"), t)


def rename_outside(t):
    os.rename(t["victim_file_3"], "stolen")
    return "moved"


def symlink_escape_read(t):
    os.symlink(t["secret"], "way-out")
    return found(content("way-out"), t)


def proc_root_escape(t):
    for pid in [1, os.getppid(), t["parent"], t["sibling"], *others()]:
        for way in ("root", f"cwd/{'../' * 12}"):
            try:
                return found(content(f"/proc/{pid}/{way}/{t['secret']}"), t)
            except (OSError, Stopped):
                continue
    raise Stopped


def parent_environ(t):
    for pid in [t["parent"], os.getppid(), *others()]:
        try:
            return found(content(f"/proc/{pid}/environ"), t)
        except (OSError, Stopped):
            continue
    raise Stopped


def own_environ(t):
    return found(repr([dict(os.environ), content("/proc/self/environ")]).encode(), t)


def outside_command_lines(t):
    for pid in [t["sibling"], *others()]:
        try:
            return found(content(f"/proc/{pid}/cmdline"), t)
        except (OSError, Stopped):
            continue
    raise Stopped


def leaked_descriptors(t):
    for number in range(3, 256):
        try:
            way = os.readlink(f"/proc/self/fd/{number}")
            os.fstat(number)
        except OSError:
            continue
        if number not in t["known_descriptors"]:
            return f"{number} is {way}"
    raise Stopped


def descriptors_of_others(t):
    for pid in [t["parent"], *others(), *t["above"]]:
        if pid == 1 and t["private_init"]:
            continue  # as for its memory, below
        try:
            for number in os.listdir(f"/proc/{pid}/fd"):
                fd = os.open(f"/proc/{pid}/fd/{number}", os.O_RDONLY | os.O_NONBLOCK)
                os.close(fd)
                return f"{number} of process {pid}"
        except OSError:
            continue
    raise Stopped


def memory_of_others(t):
    for pid in [t["parent"], t["sibling"], *others(), *t["above"]]:
        if pid == 1 and t["private_init"]:
            continue  # process 1 of the sandbox: it knows nothing and may do less than the candidate
        try:
            with open(f"/proc/{pid}/mem", "r+b", 0):
                return f"process {pid}"
        except OSError:
            continue
    raise Stopped


def net_loopback_tcp(t):
    with socket.create_connection(("127.0.0.1", t["port"]), timeout=1):
        return "connected"


def net_outside_route(t):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.connect(("192.0.2.1", 9))  # finds a route, sends nothing
        return "a route"


def net_listen_outside(t):
    with socket.socket() as end:
        end.bind(("127.0.0.1", t["free_port"]))
        end.listen()
        if not t["private_network"]:
            return "listens"
    raise Stopped


def abstract_unix_socket(t):
    with socket.socket(socket.AF_UNIX) as end:
        end.connect("\0" + t["abstract"])
        return "connected"


def path_unix_socket(t):
    with socket.socket(socket.AF_UNIX) as end:
        end.connect(t["socket"])
        return "connected"


def datagram_unix_socket(t):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.sendto(b"x", t["datagrams"])
        return "sent"


def netlink_socket(t):
    with socket.socket(16, socket.SOCK_RAW, 0):
        return "opened"


def vsock_socket(t):
    with socket.socket(40, socket.SOCK_STREAM):
        return "opened"


def signal_parent(t):
    os.kill(t["parent"], 0)
    return "it can be signalled"


def kill_sibling(t):
    os.kill(t["sibling"], signal.SIGKILL)
    return "sent"


def pidfd_sibling(t):
    signal.pidfd_send_signal(os.pidfd_open(t["sibling"]), 0)
    return "it can be signalled"


def renice_sibling(t):
    os.setpriority(os.PRIO_PROCESS, t["sibling"], 19)
    return "slowed down"


def limit_sibling(t):
    resource.prlimit(t["sibling"], resource.RLIMIT_CPU, (1000, 1000))
    return "limited"


def ptrace_sibling(t):
    if C.ptrace(16, t["sibling"], 0, 0) != 0:
        raise Stopped
    return "attached"


def ptrace_at_all(t):
    syscall(numbered(101, 117), 0, 0, 0, 0)
    return "PTRACE_TRACEME"


def new_user_namespace(t):
    syscall(numbered(272, 97), 0x10000000)
    return "made"


def new_namespace_by_clone(t):
    child = syscall(numbered(56, 220), 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return "made"


def new_namespace_by_clone3(t):
    arguments = (ctypes.c_uint64 * 11)(0x10000000, 0, 0, 0, signal.SIGCHLD)
    child = syscall(435, ctypes.addressof(arguments), ctypes.sizeof(arguments))
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return "made"


def mount(t):
    if C.mount(b"none", os.fsencode(os.getcwd()), b"tmpfs", ctypes.c_ulong(0), None):
        raise Stopped
    C.umount2(os.fsencode(os.getcwd()), 2)
    return "mounted"


def memfd(t):
    os.memfd_create("hoard")
    return "made"


def system_v_memory(t):
    number = syscall(numbered(29, 194), 0, 4096, 0o1600)
    syscall(numbered(31, 195), number, 0, 0)
    return "made"


def keyring(t):
    syscall(numbered(250, 219), 0, -3, 0)
    return "opened"


def io_uring(t):
    parameters = ctypes.create_string_buffer(120)
    os.close(syscall(425, 1, ctypes.addressof(parameters)))
    return "made"


def bpf(t):
    attributes = (ctypes.c_uint32 * 4)(2, 4, 4, 1)
    os.close(syscall(numbered(321, 280), 0, ctypes.addressof(attributes), 16))
    return "made"


def perf_events(t):
    attributes = (ctypes.c_uint32 * 28)(1, 112, 0)
    os.close(syscall(numbered(298, 241), ctypes.addressof(attributes), 0, -1, -1, 0))
    return "opened"


def userfaultfd(t):
    os.close(syscall(numbered(323, 282), 1))
    return "made"


def personality(t):
    syscall(numbered(135, 92), 0xFFFFFFFF)
    return "asked"


def set_clock(t):
    time.clock_settime(time.CLOCK_REALTIME, time.time())
    return "set"


def handles(t):
    handle = ctypes.create_string_buffer(256)
    ctypes.cast(handle, ctypes.POINTER(ctypes.c_uint32))[0] = 128
    number = ctypes.c_int(0)
    path = ctypes.create_string_buffer(b"/")
    syscall(numbered(303, 264), -100, ctypes.addressof(path), ctypes.addressof(handle), ctypes.addressof(number), 0)
    return "got one"


def x32_calls(t):
    if not X86:
        raise Stopped
    return _survives(lambda: syscall(0x40000000 | 39))


def foreign_words(t):
    """Call the kernel as a 32-bit program would: int 0x80, getpid."""
    if not X86:
        raise Stopped

    def call():
        private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        page = mmap.mmap(-1, 4096, flags=private, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(bytes.fromhex("53b814000000cd805bc3"))
        ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()

    return _survives(call)


def _survives(call):
    child = os.fork()
    if child == 0:
        try:
            call()
        finally:
            os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGSYS:
        raise Stopped
    return "answered"


def type_into_terminal(t):
    leader, _ = os.openpty()
    import fcntl

    fcntl.ioctl(leader, 0x5412, b"x")
    return "typed"


def open_terminal(t):
    os.open("/dev/tty", os.O_RDWR)
    return "opened"


def devices(t):
    for name in ("mem", "kmsg", "vda", "sda", "nvme0n1", "kvm", "fuse", "net/tun", "vsock", "loop-control"):
        try:
            os.close(os.open(f"/dev/{name}", os.O_RDONLY | os.O_NONBLOCK))
        except OSError:
            continue
        return name
    raise Stopped


def make_device(t):
    os.mknod("null", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    return "made"


def capabilities(t):
    lines = dict(line.split(":", 1) for line in content("/proc/self/status").decode().splitlines())
    held = int(lines["CapEff"], 16) | int(lines["CapPrm"], 16) | int(lines["CapAmb"], 16)
    if held == 0 and lines["NoNewPrivs"].strip() == "1":
        raise Stopped
    return f"{held:x}, no_new_privs {lines['NoNewPrivs'].strip()}"


def become_root(t):
    os.setuid(0)
    return "became"


def raise_limits(t):
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    if hard == resource.RLIM_INFINITY:
        return "there is none"
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard + 1, hard + 1))
    return "raised"


def kernel_settings(t):
    with open("/proc/sys/kernel/core_pattern", "r+b"):
        return "opened"


def sys_files(t):
    return f"{len(os.listdir('/sys/class'))} classes" if os.listdir("/sys/class") else None


def large_file(t):
    with open("large", "wb") as file:
        for _ in range(2 + (t["file_bytes"] >> 20)):
            file.write(bytes(1 << 20))
    os.unlink("large")
    return "written"


def many_forks(t):
    children = []
    try:
        while len(children) < t["tasks"]:
            child = os.fork()
            if child == 0:
                time.sleep(60)
                os._exit(0)
            children.append(child)
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    return f"{len(children)} processes"


def much_memory(t):
    hoard = []
    while len(hoard) << 3 < 2 * t["memory_bytes"] >> 20:
        hoard.append(bytearray(b"x") * (8 << 20))
    return f"{len(hoard) * 8} MiB"


def fill_disk(t, folder="."):
    names, free = [], 4 * t["disk_bytes"]
    try:
        while free > 0:
            names.append(f"{folder}/filling-{len(names)}")
            with open(names[-1], "wb", 0) as file:
                if file.write(bytes(1 << 20)) < 1 << 20:
                    raise Stopped
            free -= 1 << 20
        time.sleep(0.3)  # where only a watchdog looks, it looks now
    finally:
        for name in names:
            os.unlink(name)
    return "filled"


def fill_shared_memory(t):
    return fill_disk(t, "/dev/shm")


def fill_temporary(t):
    return fill_disk(t, "/tmp")


def write_system(t):
    for folder in ("/", "/usr", "/etc", "/dev", "/usr/lib", os.path.dirname(os.__file__)):
        try:
            with open(f"{folder}/novum-attack", "w"):
                pass
            os.unlink(f"{folder}/novum-attack")
        except OSError:
            continue
        return folder
    raise Stopped


ATTACKS = [*attacks_of(globals()), *attacks_of(vars(host_attacks)), *attacks_of(vars(memory_attacks))]


def attempt(attack, targets):
    """How it worked, or an empty string."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(writing, 1)  # so that no descriptor above the standard ones is the attack's own
        os.close(reading)
        os.close(writing)
        answer = ""
        try:
            answer = str(attack(targets) or "")
        except OSError as error:
            if error.errno == errno.EFBIG:
                answer = ""
        except (Stopped, MemoryError, ValueError):
            answer = ""
        finally:
            os.write(1, answer.encode()[:4000])
            os._exit(0)
    os.close(writing)
    answer = b""
    until = time.monotonic() + SECONDS
    while select.select([reading], [], [], max(0.0, until - time.monotonic()))[0]:
        if not (part := os.read(reading, 4096)):
            break
        answer += part
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(reading)
    return answer.decode()


def attack_all(targets, only=None):
    """Name to way for each attack that worked."""
    targets = {**targets, "above": [os.getppid()], "known_descriptors": targets.get("known_descriptors", [])}
    worked = {}
    for attack in ATTACKS:
        if (only is None or attack.__name__ in only) and (answer := attempt(attack, targets)):
            worked[attack.__name__] = answer
    return worked


if __name__ == "__main__":
    wanted = json.loads(sys.argv[1])
    json.dump(attack_all(wanted, wanted.get("only")), sys.stdout)
