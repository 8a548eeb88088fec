"""torch's counter of operations, without the compiler of GPU kernels that it would bring along.

The counter imports triton, where it is installed (builds of torch for CUDA on Linux bring it), only to be able to
count kernels written in it. A check has none, and triton costs 80 MB of memory, a tenth of the idle window. What is
imported later, such as `torch.compile` in a training, finds triton as ever.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_triton() -> Iterator[None]:
    """While it lasts `import triton` fails as if it were not installed; what was imported before stays."""
    if "triton" in sys.modules:
        yield
        return
    log = logging.getLogger("torch.utils.flop_counter")
    level = log.level
    log.setLevel(logging.ERROR)  # it warns that kernels of triton will not be counted, which is what is wanted
    sys.modules["triton"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["triton"]
        log.setLevel(level)
        # torch remembers whether it found triton; whoever compiles a model later must find it.
        asked = sys.modules.get("torch.utils._triton")
        for question in vars(asked).values() if asked else ():
            getattr(question, "cache_clear", lambda: None)()


with without_triton():
    from torch.utils.flop_counter import FlopCounterMode

__all__ = ["FlopCounterMode", "without_triton"]
