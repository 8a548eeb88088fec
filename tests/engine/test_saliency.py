"""Saliency against statements that need no second implementation: axioms, closed forms, Grad-CAM by hand in numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from engine.runtime.saliency import grad_cam, integrated_gradients, score_of


def small_net(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3), nn.Tanh(), nn.Flatten(), nn.Linear(5 * 4 * 4, 3)
    ).eval()  # fmt: skip


def test_of_a_linear_model_each_input_gets_its_weight_times_its_step():
    model = nn.Linear(3, 2)
    x, base = torch.tensor([[1.0, -2.0, 3.0]]), torch.tensor([[0.5, 0.5, 0.5]])
    found = integrated_gradients(score_of(model, 0, 1), [x], [base])
    assert torch.allclose(found.maps[0], ((x - base) * model.weight[1])[0], atol=1e-6)


def test_of_a_product_the_closed_form_is_found():
    """F = x1 x2 from 0: the way is (a x1, a x2), so that each gets x1 x2 / 2."""
    found = integrated_gradients(lambda inputs: inputs[0][:, 0] * inputs[0][:, 1], [torch.tensor([[3.0, -4.0]])],
                                 [torch.zeros(1, 2)])  # fmt: skip
    assert found.maps[0].tolist() == pytest.approx([-6.0, -6.0])
    assert found.rise == pytest.approx(-12.0)


@pytest.mark.parametrize("column", [0, 1, 2])
def test_the_map_adds_up_to_the_rise_of_the_output(column):
    """Completeness, within one part in a hundred; here by far better."""
    model = small_net(column)
    x = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    found = integrated_gradients(score_of(model, 0, column), [x], [torch.zeros_like(x)])
    with torch.no_grad():
        rise = float(model(x)[0, column] - model(torch.zeros_like(x))[0, column])
    assert found.rise == pytest.approx(rise, abs=1e-6)
    assert float(found.maps[0].sum()) == pytest.approx(rise, abs=0.01 * abs(rise))
    assert found.gap == pytest.approx(float(found.maps[0].double().sum()) - rise, abs=1e-5)


def test_what_the_answer_does_not_depend_on_gets_nothing():
    """Sensitivity (b): a pixel that no weight reads, and an input that the output ignores."""
    layer = nn.Linear(4, 1)
    with torch.no_grad():
        layer.weight[0, 2] = 0.0
    one, other = torch.rand(1, 4), torch.rand(1, 3)
    found = integrated_gradients(
        lambda inputs: layer(inputs[0]).tanh()[:, 0], [one, other], [torch.zeros(1, 4), torch.zeros(1, 3)]
    )
    assert found.maps[0][2] == 0.0
    assert found.maps[1].tolist() == [0.0, 0.0, 0.0]


def test_nothing_of_the_model_or_of_chance_changes():
    model = small_net()
    before, state = {key: value.clone() for key, value in model.state_dict().items()}, torch.get_rng_state()
    x = torch.ones(1, 1, 8, 8)
    integrated_gradients(score_of(model, 0, 0), [x], [x * 0])
    grad_cam(score_of(model, 0, 0), [x], model[2], (8, 8))
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(module._forward_hooks for module in model.modules())


def test_grad_cam_is_what_its_formula_gives_by_hand():
    """Convolution, its maps A, a linear layer on all of them: dF/dA is the row of weights, in numpy."""
    torch.manual_seed(3)
    convolution, head = nn.Conv2d(1, 2, 3), nn.Linear(2 * 2 * 2, 3)
    model = nn.Sequential(convolution, nn.Flatten(), head).eval()
    x = torch.rand(1, 1, 4, 4)
    image, kernel, bias = (item.detach().numpy() for item in (x[0, 0], convolution.weight[:, 0], convolution.bias))
    maps = np.zeros((2, 2, 2))
    for channel in range(2):
        for row in range(2):
            for column in range(2):
                maps[channel, row, column] = (image[row : row + 3, column : column + 3] * kernel[channel]).sum() + bias[
                    channel
                ]
    slopes = head.weight.detach().numpy()[1].reshape(2, 2, 2)
    alphas = slopes.mean((1, 2))
    cam = np.maximum((alphas[:, None, None] * maps).sum(0), 0)
    found = grad_cam(score_of(model, 0, 1), [x], convolution, (2, 2))
    assert found is not None
    assert np.allclose(found.numpy(), cam, atol=1e-6)
    # Scaled up bilinearly without corners aligned: the mean over both pixels in the middle of a row of four.
    large = grad_cam(score_of(model, 0, 1), [x], convolution, (4, 4))
    assert float(large[0, 1]) == pytest.approx(0.75 * cam[0, 0] + 0.25 * cam[0, 1], abs=1e-6)


def test_a_layer_that_works_in_place_afterwards_does_not_spoil_the_maps():
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2)).eval()
    inplace = nn.Sequential(plain[0], nn.ReLU(inplace=True), plain[2], plain[3]).eval()
    x = torch.randn(1, 1, 4, 4)
    maps = [grad_cam(score_of(model, 0, 0), [x], model[0], (4, 4)) for model in (plain, inplace)]
    assert torch.equal(maps[0], maps[1])


def test_where_there_are_no_maps_grad_cam_says_so_with_nothing():
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    assert grad_cam(score_of(model, 0, 0), [torch.rand(1, 1, 4, 4)], model[1], (4, 4)) is None


def test_the_no_of_a_yes_or_no_is_the_negative_of_its_number():
    model = nn.Linear(2, 1)
    x = [torch.rand(1, 2)]
    yes, no = (score_of(model, 0, column, yes_or_no=True)(x) for column in (1, 0))
    assert torch.equal(yes, -no)
