"""The config that a checkpoint holds, read as data: its text is never run."""

import ast
import math
import re
from collections.abc import Iterator, Mapping

from mmengine.config import Config

from hqm_mmdet.safe_loading import CheckpointError

BUILT = ("model", "test_dataloader", "visualizer")  # what inference builds from a config
# A bare name is looked up in registries. A dotted one could name any function of any module.
TYPE_NAME = re.compile(r"((hqm_mmdet|mmdet|mmengine|mmcv)\.[A-Z])?\w+")


def config_of_checkpoint(content: Mapping, name: str) -> Config:
    """Config that training, testing or publishing left in ``meta.cfg``.

    ``custom_imports`` of the config are not followed.

    Args:
        content (Mapping): the checkpoint.
        name (str): of its file, for messages.

    Raises:
        CheckpointError: it holds no config, or one with more than literals in it.
    """
    text = content.get("meta", {}).get("cfg")
    if not isinstance(text, str) or not text:
        raise CheckpointError(f"Checkpoint {name} holds no config. Give the config file that it was trained with.")
    try:
        values = parse_config_text(text)
    except (SyntaxError, ValueError) as error:
        raise CheckpointError(
            f"Checkpoint {name}: its config is more than plain values ({error}); it is not used. Give the config file."
        ) from error
    unknown = next((kind for key in BUILT for kind in _types(values.get(key)) if not TYPE_NAME.fullmatch(kind)), None)
    if unknown is not None:
        raise CheckpointError(
            f"Checkpoint {name}: its config wants to build {unknown!r}, which is no registered component, so it is not "
            "used. If you trust it, write the config to a file and give that."
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


def _types(value) -> Iterator[str]:
    """All values of keys ``type``, at any depth."""
    if isinstance(value, Mapping):
        if isinstance(value.get("type"), str):
            yield value["type"]
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _types(item)
