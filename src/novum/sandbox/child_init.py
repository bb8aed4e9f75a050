"""The first code of the process that becomes the candidate: unpack, hand out the work directory, confine, let go.

The parent sends this file's code and a plan over the channel. Once everything is in place the process passes an open
descriptor of its work directory to the parent, which after the end of the whole sandbox collects from it; then it waits
for the word to start (by then the parent has set its limits), closes the channel and runs the program, a Python program
in this very interpreter. Nothing of the lab is in this process: whatever the candidate does to it, it does to itself.

It imports next to nothing, for each import is paid for in every run, and nothing at all between the first file of the
candidate and the candidate's start.
"""

# ruff: noqa: PTH100, PTH103, PTH108, PTH120, PTH123, PTH208
from __future__ import annotations

import marshal
import os
import sys

TYPE_CHECKING = False  # typing itself would cost more than all the rest
if TYPE_CHECKING:
    from typing import Any, NoReturn

_Module = type(os)


def main(channel: int, plan: dict[str, Any]) -> None:
    """Prepare all; returns when `play` shall run a Python program in this interpreter."""
    try:
        walls, keeper = _module("walls", plan), _module("keeper", plan)
        sender = _import_sender() if plan["passes_directory"] else None
        os.umask(0 if plan["user"] is not None else 0o022)  # what root unpacks, the candidate may change
        os.chdir(plan["work"])
        os.environ["PWD"] = plan["work"]
        _unpack(plan.pop("files"))
        _take_stdin(plan.pop("stdin"))
        if keeper is not None:
            keeper.keep(channel)
        if walls is not None:
            walls.enter(*plan["wall_arguments"])
        if sender is None:
            os.write(channel, b"ready")
        else:
            _pass_directory(sender, channel)
        if not os.read(channel, 1):
            os._exit(1)  # the parent is gone, or could not set the limits
        if (user := plan["user"]) is not None:
            _become(user)
        _close_above_standard()
    except BaseException as error:
        os.write(channel, f"{type(error).__name__}: {error}".encode(errors="replace")[:2000])
        os._exit(1)
    if plan["main"] is None:
        _exec(plan["argv"])


def _module(name: str, plan: dict[str, Any]) -> Any:
    if (code := plan.pop(name)) is None:
        return None
    module = _Module(name)
    exec(marshal.loads(code), module.__dict__)
    return module


def _import_sender() -> Any:
    import _socket  # socket itself costs as much as the interpreter

    return _socket.socket


def _become(user: int) -> None:
    """Become an unprivileged user for good; the limits were set by root before, as they are no longer changeable."""
    os.umask(0o022)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def _pass_directory(sender: Any, channel: int) -> None:
    places = [os.open(path, os.O_RDONLY | os.O_DIRECTORY) for path in (".", "/tmp")]
    end = sender(fileno=channel)
    end.sendmsg([b"ready"], [(1, 1, b"".join(fd.to_bytes(4, sys.byteorder) for fd in places))])  # SCM_RIGHTS
    end.detach()


def _close_above_standard() -> None:
    for number in map(int, os.listdir("/proc/self/fd")):
        if number > 2:
            try:
                os.close(number)
            except OSError:  # the listing's own
                continue


def _unpack(files: dict[str, bytes]) -> None:
    for name, content in files.items():
        if folder := name.rpartition("/")[0]:
            os.makedirs(folder, exist_ok=True)
        fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
        _write(fd, content)
        os.close(fd)


def _take_stdin(content: bytes) -> None:
    if content:
        fd = os.open(".stdin", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        os.unlink(".stdin")
        _write(fd, content)
        os.lseek(fd, 0, os.SEEK_SET)
        os.dup2(fd, 0)
        os.close(fd)


def _write(fd: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(fd, rest) :]


def _exec(argv: list[str]) -> NoReturn:
    import _signal  # type: ignore[import-not-found]

    for number in (13, 25):  # Python ignores SIGPIPE and SIGXFSZ; other programs expect them
        _signal.signal(number, 0)
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
    os._exit(127)


def play(plan: dict[str, Any]) -> int:
    """Run the candidate's Python program in this interpreter as `python` would; returns its exit status."""
    how, what = plan["main"]
    sys.argv = plan["argv"][1:] if how == "file" else [{"code": "-c", "module": what}[how], *plan["argv"][3:]]
    sys.path[0] = os.path.dirname(os.path.abspath(what)) if how == "file" else ""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a kill must not lose what was printed
    module = _Module("__main__")
    module.__dict__["__builtins__"] = __builtins__
    try:
        if how == "module":
            import runpy

            runpy.run_module(what, run_name="__main__", alter_sys=True)
            return 0
        sys.modules["__main__"] = module
        source: str | bytes = what
        if how == "file":
            module.__file__ = what
            with open(what, "rb") as script:
                source = script.read()
        exec(compile(source, what if how == "file" else "<string>", "exec"), module.__dict__)
    except SystemExit:
        raise
    except BaseException as error:
        trace = error.__traceback__
        plain = error.with_traceback(trace.tb_next if trace else None)
        sys.excepthook(type(plain), plain, plain.__traceback__)
        return 1
    return 0
