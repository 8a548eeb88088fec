"""Loads torch and runs the first meta operation before they are needed: each takes a second or so."""

from __future__ import annotations


def warm_up() -> None:
    """Imports torch and everything a check needs, and runs one meta operation. torchvision stays unloaded."""
    import atexit
    import gc

    import torch

    from engine.runtime.lean import FlopCounterMode, without_triton

    torch.backends.mha.set_fastpath_enabled(False)
    # The first counted operation loads torch's tracer, which would bring triton too.
    with without_triton(), torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False):
        torch.nn.Linear(2, 2)(torch.empty(2, 2))
    # torch brings some hundred thousand objects that live for ever: without this every full collection walks them,
    # which stops the window for a tenth of a second.
    gc.freeze()
    atexit.register(gc.unfreeze)
