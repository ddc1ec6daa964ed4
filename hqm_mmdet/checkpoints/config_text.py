"""The config that a checkpoint holds, read as data: its text is never run."""

import ast
import importlib.util
import math
import sys
from collections.abc import Iterator, Mapping

from mmengine.config import Config

from hqm_mmdet.registry import component_names
from hqm_mmdet.safe_loading import CheckpointError

BUILT = ("model", "test_dataloader", "visualizer")  # what inference builds from a config
SCOPES = ("hqm_mmdet", "mmdet", "mmengine", "mmcv")
# Operations that detectors' configs name as a `type` without a registry; mmcv evaluates such a name.
OPERATIONS = frozenset({"nms", "soft_nms", "RoIAlign"})


def config_of_checkpoint(meta: Mapping, name: str) -> Config:
    """Config that training, testing or publishing left in a checkpoint's ``meta`` as ``cfg``.

    ``custom_imports`` of the config are not followed.

    Args:
        meta (Mapping): of the checkpoint.
        name (str): of its file, for messages.

    Raises:
        CheckpointError: it holds no config, one with more than literals in it, or one whose names make mmengine import
            or call something that is no component of OpenMMLab's or of this project.
    """
    text = meta.get("cfg")
    if not isinstance(text, str) or not text:
        raise CheckpointError(f"Checkpoint {name} holds no config. Give the config file that it was trained with.")
    try:
        values = parse_config_text(text)
    except (SyntaxError, ValueError) as error:
        raise CheckpointError(
            f"Checkpoint {name}: its config is more than plain values ({error}); it is not used. Give the config file."
        ) from error
    if (reason := _unsafe(values)) is not None:
        raise CheckpointError(
            f"Checkpoint {name}: its config {reason}, so it is not used. If you trust it, write the config to a file "
            "and give that."
        )
    return Config(values)


def parse_config_text(text: str) -> dict:
    """Values of a config in the form of mmengine's ``Config.pretty_text``: assignments of literals and ``dict(...)``.

    >>> parse_config_text("a = dict(b=[1, -2], c='x')")
    {'a': {'b': [1, -2], 'c': 'x'}}

    Raises:
        SyntaxError: no Python.
        ValueError: anything else than assignments of literals; it is named with its line.
    """
    values = {}
    for node in ast.parse(text).body:
        if not isinstance(node, ast.Assign) or len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
            raise ValueError(f"line {node.lineno}: no assignment to a name")
        values[node.targets[0].id] = _value(node.value)
    return values


def _value(node: ast.AST):
    match node:
        # The one call in a config's text; `**` in it would be more than literals.
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=keywords) if all(k.arg for k in keywords):
            return {keyword.arg: _value(keyword.value) for keyword in keywords}
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return {_value(key): _value(value) for key, value in zip(keys, values, strict=True)}
        case ast.List(elts=items):
            return [_value(item) for item in items]
        case ast.Tuple(elts=items):
            return tuple(_value(item) for item in items)
        case ast.Set(elts=items):
            return {_value(item) for item in items}
        case ast.Name(id="inf" | "nan" as name):  # how Python writes these numbers
            return getattr(math, name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.Constant(value=value):
            return value
    raise ValueError(f"line {getattr(node, 'lineno', '?')}: {ast.unparse(node)[:60]}")


def _unsafe(values: Mapping) -> str | None:
    """What a config says that could reach code other than registered components; None if nothing does."""
    scopes = [values["default_scope"]] if "default_scope" in values else []
    built = [values[key] for key in BUILT if key in values]
    for scope in (*scopes, *_values_of("_scope_", built)):
        if scope not in SCOPES:  # mmengine imports the module `SCOPE.registry`
            return f"names the scope {scope!r}, which is none of {', '.join(SCOPES)}"
    for kind in _values_of("type", built):
        if not isinstance(kind, str) or not (kind in OPERATIONS or _is_component(kind)):
            return f"wants to build {kind!r}, which is no registered component"
    return None


def _is_component(kind: str) -> bool:
    scope, _, name = kind.rpartition(".")
    if scope not in ("", *SCOPES) or name not in component_names():
        return False
    # Where a registry lacks a bare name, mmengine imports the module of that name, if there is one.
    return bool(scope) or (name not in sys.modules and importlib.util.find_spec(name) is None)


def _values_of(key: str, value) -> Iterator:
    """All values of a key, at any depth."""
    if isinstance(value, Mapping):
        if key in value:
            yield value[key]
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _values_of(key, item)
