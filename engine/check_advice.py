"""Advice: what good practice would do otherwise, each piece with its reason, its source and a fix.

Owns the list of rules, declared like everything else: an id, a title, a reason, a source and a function. A project
may mute rules by their ids. The functions stand in `check_advice_layers.py` and `check_advice_recipe.py`. Advice
never stops a training, and is silent where it cannot know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from engine import check_advice_layers as layers
from engine import check_advice_recipe as recipe
from engine.advice_view import View
from engine.problem import Fix, Problem, Severity, Where
from engine.project import Project
from engine.proposal import proposal_of

Finder = Callable[[View], Iterator[layers.Found]]


@dataclass(frozen=True)
class Rule:
    """One piece of advice. `id` is stable: projects mute rules by it."""

    id: str
    title: str
    reason: str
    source: str
    find: Finder


_GERON = "Géron, Hands-On Machine Learning, 3rd edition, chapter 11"
_KLAMBAUER = "Klambauer et al. 2017, Self-Normalizing Neural Networks"

RULES = (
    Rule("selu-inputs", "SELU wants standardised inputs",
         "SELU keeps mean 0 and deviation 1 from layer to layer only if the inputs have them",
         f"{_KLAMBAUER}, section 2", recipe.selu_inputs),
    Rule("selu-init", "SELU wants LeCun's initial weights",
         "Only weights of variance 1/fan_in leave the deviation of the numbers at 1",
         f"{_KLAMBAUER}, section 2, initialization", layers.selu_init),
    Rule("selu-topology", "SELU wants a plain stack",
         "With skip connections or recurrence nothing keeps SELU's numbers normal; ELU then does as well",
         f"{_GERON}, ELU and SELU", layers.selu_topology),
    Rule("selu-rules", "SELU excludes other regularisation",
         "l1, l2, max-norm, normalisation and plain dropout change the mean and deviation that SELU keeps; alpha "
         "dropout keeps them", f"{_GERON}, ELU and SELU; {_KLAMBAUER}, section 3", layers.selu_rules),
    Rule("init-fits", "Initial weights that suit the activation",
         "He's variance 2/fan_in is made for ReLU and its relatives, Glorot's 1/fan_avg for tanh and sigmoid",
         f"{_GERON}, table Initialization parameters for each type of activation function; He et al. 2015",
         layers.init_fits),
    Rule("saturating", "Sigmoid or tanh deep inside",
         "Where they saturate their slope is nearly 0, and through several layers gradients vanish",
         "Glorot & Bengio 2010, Understanding the difficulty of training deep feedforward neural networks",
         layers.saturating),
    Rule("bias-before-norm", "A bias before batch normalisation",
         "Batch normalisation subtracts the mean, and the bias with it; its own shift does the bias's work",
         "Ioffe & Szegedy 2015, Batch Normalization, section 3.2", layers.bias_before_norm),
    Rule("activated-twice", "Two activations in a row",
         "The second sees only what the first leaves over: ReLU behind ReLU does nothing, behind SELU it cuts off half",
         f"{_GERON}, chapter 10, The Perceptron", layers.activated_twice),
    Rule("dropout-rate", "A high dropout rate",
         "Usual rates are 0.1 to 0.5: above, more than half of the signal is lost",
         f"{_GERON}, Dropout; Srivastava et al. 2014, Dropout, section 7.3", layers.dropout_rate),
    Rule("dropout-output", "Dropout at an output",
         "Dropout leaves the outputs out: there it drops answers instead of units",
         f"{_GERON}, Dropout; Srivastava et al. 2014, Dropout, section 4", layers.dropout_output),
    Rule("dropout-place", "Dropout in many layers",
         "Dropout is usually applied to the top one to three layers, in modern nets only after the last hidden one",
         f"{_GERON}, Dropout", layers.dropout_place),
    Rule("output-relu", "An output that cannot be negative",
         "Classes are told apart by raw numbers of either sign; ReLU cuts half of them off, and their gradients",
         "Goodfellow et al. 2016, Deep Learning, section 6.2.2", layers.output_relu),
    Rule("flatten", "Flatten is missing",
         "A dense layer acts on the last axis only: rows of an image are answered one by one, not the image",
         f"{_GERON}, chapter 10, Building an image classifier", recipe.flatten_missing),
    Rule("inputs-scaled", "Inputs of different size",
         "Gradient descent crawls along the directions of large columns or pixels of 0 to 255",
         "LeCun et al. 1998, Efficient BackProp, section 4.3", recipe.inputs_scaled),
    Rule("l2-adam", "l2 with Adam", "Adam divides l2's gradient by its own scale, so that large gradients escape "
         "decay; AdamW decays all weights alike", "Loshchilov & Hutter 2019, Decoupled Weight Decay Regularization",
         recipe.l2_adam),
)  # fmt: skip
BY_ID = {rule.id: rule for rule in RULES}
PREFIX = "advice."
"""Codes of these problems are `advice.` and the rule's id."""


def check_advice(project: Project) -> Iterator[Problem]:
    """Everything that is advised for a project and not muted, one problem for each rule and cause."""
    if not project.graph.nodes:
        return
    view = View(project)
    for rule in RULES:
        if rule.id in project.muted:
            continue
        for found in rule.find(view):
            yield problem_of(rule, found)
    if project.proposed is not None:
        far = rate_advice(project, project.proposed.rate)
        # The key costs more than the comparison, so it comes last.
        if far is not None and proposal_of(project) is not None:
            yield far


def problem_of(rule: Rule, found: layers.Found) -> Problem:
    """What a rule found, as a problem that can be shown."""
    fix = found.fixes[0].title if found.fixes else ""
    return Problem(Severity.ADVICE, found.where, found.happened, rule.reason, fix, PREFIX + rule.id,
                   fixes=found.fixes, source=rule.source)  # fmt: skip


def rule_of(problem: Problem) -> str:
    """The id by which the advice of a problem is muted; "" when it is no advice."""
    return problem.code.removeprefix(PREFIX) if problem.code.startswith(PREFIX) else ""


def muted(project: Project, rule: str) -> Project:
    """The project with that rule silent; it is saved with the project."""
    return replace(project, muted=tuple(sorted({*project.muted, rule})))


def unmuted(project: Project, *rules: str) -> Project:
    """The project that hears those rules again; all of them when none is named."""
    return replace(project, muted=tuple(item for item in project.muted if rules and item not in rules))


def rate_advice(project: Project, proposed: float) -> Problem | None:
    """Advice when the learning rate is more than three times off what a range test of this project proposed."""
    tagged = project.recipe.get("optimizer")
    rate = tagged.get("lr") if isinstance(tagged, dict) else None
    if "lr-range" in project.muted or proposed <= 0 or not isinstance(rate, (int, float)) or rate <= 0:
        return None
    if 1 / 3 <= rate / proposed <= 3:
        return None
    fix = Fix(f"Use {proposed:g}", apply=lambda old: old.with_recipe(
        old.recipe.with_value("optimizer", {**old.recipe.get("optimizer"), "lr": proposed})))  # fmt: skip
    path = "recipe.optimizer.lr"
    return Problem(
        Severity.ADVICE, Where(label=path, path=path),
        f"The rate {rate:g} is {'above' if rate > proposed else 'below'} the {proposed:g} that the range test proposed",
        "A rate about ten times below the one at which the loss shoots up learns fast and safely", fix.title,
        PREFIX + "lr-range", fixes=(fix,), source="Smith 2017, Cyclical Learning Rates, section 3.3",
    )  # fmt: skip
