"""What a trained network says about a sample: classes with their scores, or values, by output. Knows no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.problem import Problem


@dataclass(frozen=True)
class Answer:
    """What one output says about one sample: classes with their scores, best first, or values by name."""

    scores: tuple[tuple[str, float], ...] = ()
    is_probability: bool = False
    """False when the output was told to apply no activation: the scores are then raw numbers."""
    values: Mapping[str, float] = field(default_factory=dict)
    """In real units."""
    unit: str = ""
    """What those values are counted in, where the data says so."""
    deviations: Mapping[str, float] = field(default_factory=dict)
    """With MC dropout: how far the passes lie apart, by class or value; the standard deviation of what is averaged."""

    def to_json(self, top: int = 3) -> dict[str, Any]:
        """Plain data: the best class with its probability and the `top` first, or the values."""
        if self.values:
            only = next(iter(self.values.values()))
            said: dict[str, Any] = {"value": only, "values": dict(self.values)} if len(self.values) == 1 else (
                {"values": dict(self.values)})  # fmt: skip
            said |= {"unit": self.unit} if self.unit else {}
            return said | ({"deviations": dict(self.deviations)} if self.deviations else {})
        word = "probability" if self.is_probability else "score"
        rows = [
            {"class": name, word: score} | ({"deviation": self.deviations[name]} if self.deviations else {})
            for name, score in self.scores[:top]
        ]
        return {**rows[0], "top": rows}


@dataclass(frozen=True)
class Prediction:
    """The answers to one sample, by output."""

    file: str
    row: int | None
    """Number of the sample in its file, from 0; None for an image."""
    answers: Mapping[str, Answer]
    remarks: tuple[Problem, ...] = ()
    """Warnings about the sample, such as a picture of several frames."""

    @property
    def label(self) -> str:
        """Words for the sample: the file, and the row in it."""
        return self.file if self.row is None else f"{self.file} [{self.row}]"

    def to_json(self, top: int = 3) -> dict[str, Any]:
        """Plain data; with several outputs their answers stand under `outputs`."""
        data: dict[str, Any] = {"input": self.file} | ({} if self.row is None else {"row": self.row})
        if self.remarks:
            data["warnings"] = [problem.happened for problem in self.remarks]
        if len(self.answers) == 1:
            return data | next(iter(self.answers.values())).to_json(top)
        return data | {"outputs": {name: answer.to_json(top) for name, answer in self.answers.items()}}
