"""The benchmarks compare like with like: what is timed side by side trains the same, and what a table lists is all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import regularisation
from benchmarks.timing import extra, in_turns, ratio
from benchmarks.training import Images
from engine.runtime.build import build
from engine.runtime.randomness import seed_all
from engine.runtime.restore import load_run


def test_turns_are_taken_round_by_round_and_the_warm_up_is_not_kept() -> None:
    asked: list[str] = []

    def contestant(name: str, seconds: list[float]) -> float:
        asked.append(name)
        return seconds.pop(0)

    slow, quick = [9.0, 4.0, 6.0, 8.0], [1.0, 2.0, 2.0, 2.0]
    times = in_turns({"slow": lambda: contestant("slow", slow), "quick": lambda: contestant("quick", quick)}, 3)
    assert times == {"slow": [4.0, 6.0, 8.0], "quick": [2.0, 2.0, 2.0]}
    assert asked == ["slow", "quick", "quick", "slow"] * 2
    assert ratio(times, "slow", "quick").middle == 3.0
    assert extra(times, "slow", "quick") == 4.0


@pytest.mark.parametrize("case", regularisation.CASES)
def test_ours_the_loop_by_hand_and_the_tuned_one_train_the_same(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One batch is an epoch, so that all see the same batches; rate and clipping are such that they show.
    monkeypatch.setattr(regularisation, "TENTH", 4.0)
    monkeypatch.setattr(regularisation, "LIMIT", 0.02)
    epochs, samples = 5, regularisation.BATCH
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 256, (samples + 4, 1, 28, 28), dtype=np.uint8)
    images = Images(pixels, np.arange(samples + 4) % 10, "")
    options = regularisation.CASES[case]
    project = regularisation.base(tmp_path, images, samples, epochs)
    chosen = regularisation.chosen(project, options)
    session = regularisation.Session(chosen, tmp_path, 1)
    for _ in range(epochs):
        session.epoch()
    list(session.events)
    assert session.folder is not None
    ours = load_run(session.folder, "last").model.state_dict()

    x, y = torch.from_numpy(images.x[:samples]).float() / 255, torch.from_numpy(images.y[:samples]).long()
    for loop in (regularisation.ByHand, regularisation.Tuned):
        seed_all(project.recipe.seed)
        model = build(project).model
        before = {name: value.clone() for name, value in model.state_dict().items()}
        trained = loop(model, options)
        for _ in range(epochs):
            trained.train((x,), (y,))
        for name, value in model.state_dict().items():
            torch.testing.assert_close(ours[name], value, rtol=1e-4, atol=2e-6)
            assert not torch.allclose(value, before[name], atol=1e-5)
