"""(I + L) U = B for many small unit lower triangular systems at once, forward and backward, in a few lines of C.

A general solver takes several times as long for systems of 16 to 64 unknowns: it copies them into its own order and
treats each as if it were large. The C is compiled once by the machine's compiler and kept on disk; without a compiler,
and on a GPU, torch's own solver is used.
"""

# ruff: noqa: N803, E741, ARG005 -- names of tensors end in their shapes; l is what everybody calls the matrix
from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

SOURCE = r"""
#define INLINE static inline __attribute__((always_inline))

/* With e known to the compiler a row stays in registers. */
INLINE void forward(const float *restrict l, const float *restrict b, float *restrict u, long n, long c, const long e) {
    for (long s = 0; s < n; s++, l += c * c, b += c * e, u += c * e)
        for (long t = 0; t < c; t++) {
            float row[e];
            for (long j = 0; j < e; j++) row[j] = b[t * e + j];
            for (long i = 0; i < t; i++)
                for (long j = 0; j < e; j++) row[j] -= l[t * c + i] * u[i * e + j];
            for (long j = 0; j < e; j++) u[t * e + j] = row[j];
        }
}

INLINE void backward(const float *restrict l, const float *restrict u, const float *restrict du, float *restrict w,
                     float *restrict dl, long n, long c, const long e) {
    for (long s = 0; s < n; s++, l += c * c, u += c * e, du += c * e, w += c * e, dl += c * c)
        for (long t = c - 1; t >= 0; t--) {
            float row[e];
            for (long j = 0; j < e; j++) row[j] = du[t * e + j];
            for (long i = t + 1; i < c; i++)
                for (long j = 0; j < e; j++) row[j] -= l[i * c + t] * w[i * e + j];
            for (long j = 0; j < e; j++) w[t * e + j] = row[j];
            for (long i = 0; i < t; i++) {
                float sum = 0;
                for (long j = 0; j < e; j++) sum += row[j] * u[i * e + j];
                dl[t * c + i] = -sum;
            }
            for (long i = t; i < c; i++) dl[t * c + i] = 0;
        }
}

#define BY_WIDTH(call) \
    switch (e) { \
        case 8: call(8); break; \
        case 16: call(16); break; \
        case 32: call(32); break; \
        case 64: call(64); break; \
        default: call(e); \
    }
#define FORWARD(width) forward(l, b, u, n, c, width)
#define BACKWARD(width) backward(l, u, du, w, dl, n, c, width)

void solve(const float *l, const float *b, float *u, long n, long c, long e) { BY_WIDTH(FORWARD) }

void solve_backward(const float *l, const float *u, const float *du, float *w, float *dl, long n, long c, long e) {
    BY_WIDTH(BACKWARD)
}
"""
FEWEST_ROWS = 1024
"""Systems times unknowns below which a call costs more than it saves."""

_SUMS = ("-fassociative-math", "-fno-signed-zeros", "-fno-trapping-math", "-fno-math-errno")
"""Sums in any order. A library that is linked with -ffast-math instead has its whole process lose subnormal numbers."""
FLAGS = ("-O3", "-march=native", *_SUMS, "-shared", "-fPIC", "-x", "c")


def unit_lower_solve(l_NxCxC: Tensor, b_NxCxE: Tensor) -> Tensor:
    """U of (I + tril(L, -1)) U = B, [N, C, E], float32; only the part of L below the diagonal is read."""
    worth = l_NxCxC.shape[0] * l_NxCxC.shape[1] >= FEWEST_ROWS
    if worth and l_NxCxC.device.type == "cpu" and l_NxCxC.dtype is torch.float32 and library() is not None:
        out: Tensor = torch.ops.novum.unit_lower_solve(l_NxCxC, b_NxCxE)
        return out
    solved: Tensor = torch.linalg.solve_triangular(l_NxCxC, b_NxCxE, upper=False, unitriangular=True)
    return solved


@lru_cache(maxsize=1)
def library() -> ctypes.CDLL | None:
    """The compiled functions; None without a compiler, or where it fails."""
    compiler = shutil.which(os.environ.get("CC", "cc")) or shutil.which("gcc")
    if compiler is None:
        return None
    word = hashlib.sha256(f"{SOURCE}{FLAGS}{platform.processor()}{_features()}".encode()).hexdigest()[:24]
    place = Path(tempfile.gettempdir()) / f"novum-native-{os.getuid()}" / f"{word}.so"
    try:
        if not place.exists():
            _build(compiler, place)
        # Others may write where temporary files are kept, and what is loaded runs.
        if any(one.stat().st_uid != os.getuid() or one.stat().st_mode & 0o022 for one in (place.parent, place)):
            return None
        found = ctypes.CDLL(str(place))
    except (OSError, subprocess.SubprocessError):
        return None
    for name, pointers in (("solve", 3), ("solve_backward", 5)):
        getattr(found, name).argtypes = [ctypes.c_void_p] * pointers + [ctypes.c_long] * 3
        getattr(found, name).restype = None
    _define()
    return found


def _features() -> str:
    """What the processor can do: code for one may not run on another."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")


def _build(compiler: str, place: Path) -> None:
    """Compile beside the place and move there at once, so that another process never loads half a file."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as folder:
        made = Path(folder) / "made.so"
        command = [compiler, *FLAGS, "-o", str(made), "-"]
        subprocess.run(command, input=SOURCE.encode(), check=True, capture_output=True, timeout=60)
        made.replace(place)


def _define() -> None:
    """Tell torch of the two functions, their shapes and their gradient."""

    @torch.library.custom_op("novum::unit_lower_solve", mutates_args=())
    def solve(l: Tensor, b: Tensor) -> Tensor:
        l, b = l.contiguous(), b.contiguous()
        u = torch.empty_like(b)
        _call("solve", (l, b, u), b.shape)
        return u

    @torch.library.custom_op("novum::unit_lower_solve_backward", mutates_args=())
    def solve_backward(l: Tensor, u: Tensor, du: Tensor) -> tuple[Tensor, Tensor]:
        l, u, du = l.contiguous(), u.contiguous(), du.contiguous()
        w, dl = torch.empty_like(u), torch.empty_like(l)
        _call("solve_backward", (l, u, du, w, dl), u.shape)
        return dl, w

    solve.register_fake(lambda l, b: torch.empty_like(b, memory_format=torch.contiguous_format))
    solve_backward.register_fake(
        lambda l, u, du: (
            torch.empty_like(l, memory_format=torch.contiguous_format),
            torch.empty_like(u, memory_format=torch.contiguous_format),
        )
    )

    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        lower, u = ctx.saved_tensors
        found: tuple[Tensor, Tensor] = torch.ops.novum.unit_lower_solve_backward(lower, u, grad)
        return found

    def keep(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(inputs[0], output)

    solve.register_autograd(backward, setup_context=keep)


def _call(name: str, tensors: tuple[Tensor, ...], shape: torch.Size) -> None:
    found = library()
    assert found is not None  # only defined where it was built
    getattr(found, name)(*(x.data_ptr() for x in tensors), *shape)
