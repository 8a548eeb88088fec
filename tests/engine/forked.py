"""Processes that may be killed, forked from one that has torch and the engine loaded: each would load them anew."""

from __future__ import annotations

import multiprocessing
import sys

_CONTEXT = multiprocessing.get_context("forkserver") if sys.platform != "win32" else None
if _CONTEXT is not None:
    # Nothing is computed there, so that no thread is lost in a fork.
    _CONTEXT.set_forkserver_preload(["torch", "engine.projectfile", "engine.runtime.session", "engine.runtime.restore"])


def run_forked(code: str, *arguments: object, seconds: float = 100.0) -> int:
    """Runs code with these `sys.argv[1:]` in a process of its own; its exit status, negative by a signal."""
    assert _CONTEXT is not None
    child = _CONTEXT.Process(target=_execute, args=(code, [str(item) for item in arguments]))
    child.start()
    child.join(seconds)
    if child.exitcode is None:
        child.kill()
        raise TimeoutError(f"still running after {seconds:g} s")
    return child.exitcode


def _execute(code: str, arguments: list[str]) -> None:
    import torch

    torch.set_num_threads(1)
    sys.argv = ["-c", *arguments]
    exec(compile(code, "<forked>", "exec"), {"__name__": "__main__"})
