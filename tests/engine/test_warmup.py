"""What torch's warm-up brings into memory: everything a check needs, and no compiler of GPU kernels."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

WARM = """
import json, sys
from engine.runtime.warmup import warm_up
warm_up()
from engine.examples import load_example
from engine.runtime.analyze import analyze
before = set(sys.modules)
costs = [fact.multiply_adds for fact in analyze(load_example("digits-cnn")).nodes.values()]
print(json.dumps({
    "triton": any(name.partition(".")[0] == "triton" for name in sys.modules),
    "costs": costs,
    "later": sorted(name for name in set(sys.modules) - before if name.startswith("torch.") and name.count(".") < 2),
}))
"""


def _in_fresh_process(code: str) -> dict[str, object]:
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "triton" not in found.stderr
    answer: dict[str, object] = json.loads(found.stdout)
    return answer


def test_checking_a_network_loads_no_compiler_of_gpu_kernels() -> None:
    answer = _in_fresh_process(WARM)
    assert answer["triton"] is False
    assert sum(answer["costs"]) > 10_000
    assert answer["later"] == []


@pytest.mark.skipif(find_spec("triton") is None, reason="this build of torch brings no triton")
def test_a_model_that_is_compiled_later_finds_it() -> None:
    code = """
import json
from engine.runtime.warmup import warm_up
warm_up()
from torch.utils._triton import has_triton_package
print(json.dumps({"found": has_triton_package()}))
"""
    assert _in_fresh_process(code) == {"found": True}
