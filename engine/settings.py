"""Settings of a project by path: `recipe.optimizer.lr`, `nodes.conv1.filters`, `defaults.initializer`.

What `--set` reaches, what `params` lists. Values are JSON, else text; what does not exist is refused with what does.
Derived from the declarations alone: a new setting is reachable as soon as it is declared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, NamedTuple, NoReturn

from engine.declare import Declaration, find
from engine.defaults import DEFAULTS
from engine.edits import set_default, set_param, set_repeat
from engine.graph import MAX_REPEAT, Graph, Node
from engine.param import Param
from engine.problem import ProblemError, Where, error
from engine.project import Project
from engine.recipe import SETTINGS
from engine.values import checked, declaration_of

REPEAT = Param("repeat", "int", 1, min=1, max=MAX_REPEAT, help="How many copies of the block run in a chain")


class Setting(NamedTuple):
    """One setting that can be set: its path, its present value, what is allowed."""

    path: str
    value: Any
    domain: str


def set_value(project: Project, path: str, text: str) -> Project:
    """The project with one setting changed; ProblemError when the path does not exist or the value is not allowed."""
    head, _, rest = path.partition(".")
    if head == "recipe" and rest:
        name, _, inner = rest.partition(".")
        param = _param(SETTINGS, name, "recipe", path)
        value = _changed(param, project.recipe.get(param.name), inner, text, path)
        return project.with_recipe(project.recipe.with_value(param.name, value))
    if head == "defaults" and rest:
        name, _, inner = rest.partition(".")
        param = _param(DEFAULTS, name, "defaults", path)
        value = _changed(param, project.graph.defaults.get(param.name), inner, text, path)
        return project.with_graph(set_default(project.graph, param.name, value))
    if head == "nodes" and rest:
        return project.with_graph(_set_node(project.graph, "", rest.split("."), text, path))
    _refuse(path, f"There is no setting {path!r}", "A path that begins with recipe., nodes. or defaults.")


def list_paths(project: Project) -> list[Setting]:
    """Every path that `set_value` takes, with its value and domain."""
    found: list[Setting] = []
    for param in SETTINGS.params:
        found += _listed(f"recipe.{param.name}", param, project.recipe.get(param.name))
    for param in DEFAULTS.params:
        found += _listed(f"defaults.{param.name}", param, project.graph.defaults.get(param.name, param.default))
    found += _node_paths(project.graph, "", "nodes", set())
    return found


def _set_node(graph: Graph, definition: str, parts: list[str], text: str, path: str) -> Graph:
    level = graph.level(definition)
    node = level.by_name(parts[0])
    if node is None:
        names = [item.name for item in level.nodes.values()]
        _refuse(
            path, f"There is no layer {parts[0]!r}{_nearest(parts[0], names)}", f"One of {', '.join(names) or 'none'}"
        )
    if len(parts) < 2:
        _refuse(path, f"{parts[0]} is a layer, not a setting", f"nodes.{parts[0]}.SETTING")
    if node.is_group:
        if parts[1] == "repeat" and len(parts) == 2:
            return set_repeat(graph, definition, node.id, _parsed(REPEAT, text, path))
        if parts[1] in DEFAULTS.by_name and not _inside(graph, node).by_name(parts[1]):
            return _set_param(graph, definition, node, DEFAULTS, parts, text, path)
        if node.definition in graph.definitions:
            return _set_node(graph, node.definition, parts[1:], text, path)
    declaration = find("layer", node.type)
    if declaration is None:
        _refuse(path, f"Nothing is known about layers of type {node.type!r}", "A layer of a known type")
    return _set_param(graph, definition, node, declaration, parts, text, path)


def _set_param(
    graph: Graph, definition: str, node: Node, declaration: Declaration, parts: list[str], text: str, path: str
) -> Graph:
    param = _param(declaration, parts[1], f"nodes.{node.name}", path)
    value = _changed(param, node.params.get(param.name, param.default), ".".join(parts[2:]), text, path)
    return set_param(graph, definition, node.id, param.name, value)


def _inside(graph: Graph, node: Node) -> Graph:
    return graph.definitions.get(node.definition, Graph())


def _changed(param: Param, value: Any, inner: str, text: str, path: str) -> Any:
    """The new value of a setting of which `inner` ("" for all of it) is to become `text`."""
    if not inner:
        return _parsed(param, text, path)
    name, _, rest = inner.partition(".")
    if param.kind == "list" and name.isdecimal() and int(name) < len(value):
        items = list(value)
        items[int(name)] = _changed(replace(param, kind="tagged"), items[int(name)], rest, text, path)
        return tuple(items)
    if param.kind != "tagged":
        _refuse(path, f"{param.name} has no setting {name!r} inside", param.domain)
    if name == "type" and not rest:
        return _parsed(param, text, path)
    if not isinstance(value, Mapping):
        _refuse(path, f"{param.name} is not chosen yet", f"First choose one: {param.domain}")
    declaration = declaration_of(param, value)
    if declaration is None:
        _refuse(path, f"There is no {param.of} {value.get('type')!r}", f"First choose one: {param.domain}")
    part = _param(declaration, name, path.rpartition(".")[0], path)
    changed = _changed(part, value.get(part.name, part.default), rest, text, path)
    kept = {key: item for key, item in value.items() if declaration.by_name.get(key) is not part}
    return kept if changed == part.default else {**kept, part.name: changed}


def _parsed(param: Param, text: str, path: str) -> Any:
    try:
        if param.kind == "list" and not text.lstrip().startswith(("[", "{")):
            return checked(param, [part.strip() for part in text.split(",") if part.strip()])
        if _switches_off(param) and text.strip().lower() == "none":
            return {"type": "none"}  # null is what inherits
        return checked(param, param.parse(text))
    except ValueError as fault:
        _refuse(path, str(fault)[:1].upper() + str(fault)[1:], _domain(param))


def _switches_off(param: Param) -> bool:
    """Whether `none` is a choice of its own here, beside saying nothing."""
    return param.kind == "tagged" and param.optional and find(param.of, "none") is not None


def _domain(param: Param) -> str:
    if not _switches_off(param):
        return param.domain
    return f"{replace(param, optional=False).domain}; none switches it off, null inherits"


def _param(declaration: Declaration, name: str, owner: str, path: str) -> Param:
    param = declaration.by_name.get(name)
    if param is None:
        names = list(declaration.defaults)
        _refuse(path, f"{owner} has no setting {name!r}{_nearest(name, names)}", f"One of {', '.join(names) or 'none'}")
    return param


def _listed(path: str, param: Param, value: Any) -> Iterator[Setting]:
    yield Setting(
        path, value["type"] if param.kind == "tagged" and isinstance(value, Mapping) else value, _domain(param)
    )
    if param.kind == "tagged" and isinstance(value, Mapping):
        declaration = declaration_of(param, value)
        for part in declaration.params if declaration else ():
            yield from _listed(f"{path}.{part.name}", part, value.get(part.name, part.default))
    elif param.kind == "list" and isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _listed(f"{path}.{index}", replace(param, kind="tagged"), item)


def _node_paths(graph: Graph, definition: str, prefix: str, seen: set[str]) -> Iterator[Setting]:
    for node in graph.level(definition).nodes.values():
        yield from _paths_of(graph, node, f"{prefix}.{node.name}", seen)


def _paths_of(graph: Graph, node: Node, path: str, seen: set[str]) -> Iterator[Setting]:
    if node.is_group:
        yield Setting(f"{path}.repeat", node.repeat, REPEAT.domain)
        for param in DEFAULTS.params:
            if not _inside(graph, node).by_name(param.name):
                yield from _listed(f"{path}.{param.name}", param, node.params.get(param.name, param.default))
        # A linked block is listed once, under its first name: setting it there sets it everywhere.
        if node.definition in graph.definitions and node.definition not in seen:
            seen.add(node.definition)
            yield from _node_paths(graph, node.definition, path, seen)
        return
    declaration = find("layer", node.type)
    for param in declaration.params if declaration else ():
        yield from _listed(f"{path}.{param.name}", param, node.params.get(param.name, param.default))


def _nearest(word: str, words: list[str]) -> str:
    found = get_close_matches(word, words, 1)
    return f"; did you mean {found[0]!r}?" if found else ""


def _refuse(path: str, happened: str, expected: str) -> NoReturn:
    fix = "`params PROJECT` lists every path"
    raise ProblemError(error(Where(label=path, path=path), happened, expected, fix, code="path"))
