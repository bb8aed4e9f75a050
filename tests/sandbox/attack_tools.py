"""What attacks are made of. Standard library only, as it is sent into sandboxes."""

import ctypes
import os

X86 = os.uname().machine == "x86_64"
C = ctypes.CDLL(None, use_errno=True)


class Stopped(Exception):
    """The attack did not work."""


def syscall(number, *arguments):
    result = C.syscall(ctypes.c_long(number), *(ctypes.c_long(one) for one in arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"system call {number}")
    return result


def numbered(x86, arm):
    return x86 if X86 else arm


def attacks_of(scope):
    """The functions of `scope` that take the targets, `t`, first."""
    return [
        value
        for value in list(scope.values())
        if callable(value) and getattr(value, "__code__", None) and value.__code__.co_varnames[:1] == ("t",)
    ]
