"""Memory that a process keeps."""

import ctypes
import sys

# of malloc.h
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


def keep_freed_memory() -> bool:
    """Let glibc's allocator keep what is freed, instead of giving it back and asking for it anew in each iteration.

    On a CPU, every iteration frees its activations, and the system clears each page that it hands out again: about a
    tenth of a training step. The process never shrinks any more. For processes that compute on a CPU.

    Returns:
        bool: whether the C library is glibc, and does so.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    # -1 is the documented way to say "never"; without mmap, blocks of any size come from the heap and stay there
    return mallopt is not None and bool(mallopt(M_TRIM_THRESHOLD, -1)) and bool(mallopt(M_MMAP_MAX, 0))
