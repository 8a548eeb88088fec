"""`predict`: what a trained run says about files: on the terminal, as CSV, or as a picture of what mattered."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from engine.answer import Prediction
from engine.cli.asking import restored_run
from engine.cli.outcome import GOOD, PROBLEM, Unusable, usable, written
from engine.cli.output import Output
from engine.cli.progress import data_progress
from engine.cli.projects import places_for
from engine.problem import Problem, ProblemError, Where, error

if TYPE_CHECKING:
    from engine.runtime.restore import Restored


def predict(options: Namespace, output: Output) -> int:
    """What a run says about files. Files that cannot be used are told one by one, and the others go on."""
    from engine.runtime.device import choose_device, set_threads
    from engine.runtime.predict import many_passes
    from engine.runtime.predict import predict as predicted
    from engine.runtime.predict_many import expanded

    run, restored = restored_run(options, output)
    with usable():
        device = choose_device(options.device or "auto")
        if options.mc:
            many_passes(restored, options.mc)  # without dropout nothing is begun
    set_threads(options.threads)
    if options.saliency is not None:
        return _saliency(options, output, run)
    if options.csv is not None:
        return _csv(options, output, restored, device)
    files = expanded(options.inputs)
    code = GOOD if files else PROBLEM
    if not files:
        output.problem(error(Where(label=str(options.inputs[0])), "There is no file in this folder",
                             "Images, tables or arrays", "Choose another", code="predict-input"))  # fmt: skip
    for item in predicted(restored, files, device=device, mc=options.mc, seed=options.seed, drawn=options.drawing):
        if isinstance(item, Problem):
            output.problem(item)
            code = PROBLEM
        else:
            output.record(item.to_json(options.top))
            output.text(_words(item, options.top))
            for remark in item.remarks:
                output.say(str(remark))
    return code


def _csv(options: Namespace, output: Output, restored: Restored, device: Any) -> int:
    from engine.runtime.predict_many import predict_to_csv

    with written():
        found = predict_to_csv(
            restored, options.inputs, options.csv, device=device, mc=options.mc, seed=options.seed,
            drawn=options.drawing, progress=data_progress(output),
        )  # fmt: skip
    output.record(found.to_json())
    for problem in (*found.problems, *found.remarks):
        output.say(str(problem))
    lost = f", {len(found.problems):,} files could not be used" if found.problems else ""
    output.text(f"Wrote {found.file}: {found.samples:,} samples of {found.files:,} files{lost}")
    return PROBLEM if found.problems else GOOD


def _saliency(options: Namespace, output: Output, run: Any) -> int:
    from engine.asked import SALIENCY, Desk, FromFile, Question
    from engine.heatmap import write_overlay
    from engine.runtime.desk import answer

    if len(options.inputs) > 1 or options.csv is not None:
        raise Unusable(error(Where(label="--saliency"), "It explains one answer at a time", "One INPUT, without --csv",
                             "Name one file", code="arguments"))  # fmt: skip
    source = FromFile(options.inputs[0], drawn=options.drawing)
    question = Question(
        run, source, options.checkpoint or "", passes=options.mc, look=SALIENCY, layer=options.layer,
        method=options.method, answer=options.explain,
    )  # fmt: skip
    reply = answer(question, Desk(), places_for(options, run.parent))
    if reply.saliency is None:
        raise ProblemError(*([reply.trouble] if reply.trouble else []))
    found = reply.saliency
    picture = next((values for values in found.maps.values() if values.ndim in (2, 3)), None)
    if picture is None or reply.picture is None:
        happened = "This network takes no pictures: there is none to lay it on"
        raise ProblemError(error(Where(label="--saliency"), happened, "An image input",
                                 "Look at it in the window", code="predict-saliency"))  # fmt: skip
    try:
        write_overlay(options.saliency, reply.picture, picture)
    except (OSError, ValueError) as fault:
        reason = getattr(fault, "strerror", None) or str(fault)
        raise Unusable(error(Where(label="--saliency", file=str(options.saliency)), f"It cannot be written: {reason}",
                             "A file ending in .png", "Choose another name", code="file.write")) from None  # fmt: skip
    said = Prediction(reply.label, None, reply.answers, reply.remarks)
    data = {"file": str(options.saliency), "method": found.method, "explains": found.answer}
    if found.layer:
        data["layer"] = found.layer
        words = f"Grad-CAM at {found.layer}"
    else:
        data |= {"baseline": found.baseline, "rise": found.rise, "gap": found.gap}  # type: ignore[dict-item]
        words = f"integrated gradients from {found.baseline}; they add up to {found.rise:.4g} but for {found.gap:.2g}"
    output.record({**said.to_json(options.top), "saliency": data})
    output.text(_words(said, options.top))
    output.text(f"Wrote {options.saliency}: what mattered for {found.answer} (orange for it, blue against), {words}")
    return GOOD


def _words(item: Prediction, top: int) -> str:
    parts = [f"{output}: {_answer(answer, top)}" if len(item.answers) > 1 else _answer(answer, top)
             for output, answer in item.answers.items()]  # fmt: skip
    return f"{item.label:<40} {'; '.join(parts)}"


def _answer(answer: Any, top: int) -> str:
    if answer.values:
        return "  ".join(f"{name} {value:,.6g}{_spread(answer, name, ',.3g')}" for name, value in answer.values.items())
    digits = ".3f" if answer.is_probability else ".4g"
    return "  ".join(f"{name} {score:{digits}}{_spread(answer, name, digits)}" for name, score in answer.scores[:top])


def _spread(answer: Any, name: str, digits: str) -> str:
    return f" ± {answer.deviations[name]:{digits}}" if answer.deviations else ""
