"""Smaller networks: what is set to zero, what stays, that folding changes nothing, and what the commands say."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from engine.problem import ProblemError
from engine.runtime.compress import Halved, apply_masks, fold_norms, prune_smallest, sparsity, zero_small


def net() -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 10)).double()


def weights(model: nn.Module) -> np.ndarray:
    return np.concatenate([model[0].weight.detach().numpy().ravel(), model[2].weight.detach().numpy().ravel()])


def test_weights_below_the_threshold_become_zero_and_no_others() -> None:
    model = net()
    before, bias = weights(model), model[0].bias.detach().clone()
    zero_small(model, 0.1)
    np.testing.assert_array_equal(weights(model), np.where(np.abs(before) < 0.1, 0.0, before))
    assert torch.equal(model[0].bias, bias)
    found = sparsity(model)
    assert found["0"] == {"weights": 600, "zero": int((np.abs(before[:600]) < 0.1).sum())}


@pytest.mark.parametrize("share", [0.0, 0.25, 0.9, 1.0])
def test_pruning_takes_the_smallest_of_all(share: float) -> None:
    model = net()
    before = weights(model)
    keys = set(model.state_dict())
    prune_smallest(model, share)
    count = round(share * before.size)
    expected = before.copy()
    expected[np.argsort(np.abs(before))[:count]] = 0.0
    np.testing.assert_array_equal(weights(model), expected)
    assert set(model.state_dict()) == keys
    assert isinstance(model[0].weight, nn.Parameter)


def test_pruning_each_layer_takes_the_same_share_of_each() -> None:
    model = net()
    prune_smallest(model, 0.5, each=True)
    assert {name: item["zero"] for name, item in sparsity(model).items()} == {"0": 300, "2": 150}


def test_masks_hold_after_the_weights_have_moved() -> None:
    model = net()
    masks = prune_smallest(model, 0.5)
    with torch.no_grad():
        model[0].weight.add_(1.0)
    apply_masks(model, masks)
    assert torch.equal(model[0].weight != 0, masks["0"])


class Wired(nn.Module):
    """Two ways that meet: one norm behind a convolution alone, one behind a convolution that is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(3, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6)
        self.conv2, self.norm2 = nn.Conv2d(6, 6, 3, padding=1, groups=2), nn.BatchNorm2d(6)
        self.up, self.norm3 = nn.ConvTranspose2d(6, 4, 2, stride=2), nn.BatchNorm2d(4, affine=False)
        self.fc, self.norm4 = nn.Linear(4, 5), nn.BatchNorm1d(5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.norm1(self.conv1(x)))
        y = self.conv2(x)
        x = self.norm3(self.up(self.norm2(y) + y))
        return self.norm4(self.fc(x.mean((2, 3))))


def test_folding_norms_changes_no_answer_and_leaves_those_that_cannot_be() -> None:
    torch.manual_seed(0)
    model = Wired().double()
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            module.running_mean.normal_()
            module.running_var.uniform_(0.3, 3.0)
            if module.affine:
                nn.init.normal_(module.weight)
                nn.init.normal_(module.bias)
    x = torch.randn(5, 3, 8, 8, dtype=torch.float64)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    folded, names = fold_norms(model, (x,))
    assert names == ["norm1", "norm3", "norm4"]
    with torch.no_grad():
        np.testing.assert_allclose(folded(x), model.eval()(x), rtol=1e-10, atol=1e-10)
    assert [name for name, item in folded.named_modules() if "Norm" in type(item).__name__] == ["norm2"]
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_norm_over_another_axis_is_not_folded() -> None:
    model = nn.Sequential(nn.Linear(4, 7), nn.BatchNorm1d(7)).double()
    with pytest.raises(ProblemError, match="No batch norm stands"):
        fold_norms(model, (torch.randn(3, 7, 4, dtype=torch.float64),))


def test_what_cannot_be_followed_says_so() -> None:
    class Asking(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x if x.sum() > 0 else -x

    with pytest.raises(ProblemError, match="cannot be followed"):
        fold_norms(Asking(), (torch.ones(1),))


def test_halves_take_and_give_floats() -> None:
    model, x = net().float(), torch.randn(4, 20)
    with torch.no_grad():
        before = model(x)
        halved = Halved(model)
        assert halved(x).dtype == torch.float32
        np.testing.assert_allclose(halved(x), before, atol=5e-3)
    assert all(item.dtype == torch.float16 for item in halved.parameters())
