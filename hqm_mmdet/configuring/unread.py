"""Top-level settings that nothing reads, which mmengine passes over in silence."""

import ast
import inspect
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from mmengine.runner import Runner

from hqm_mmdet.errors import ConfigError
from hqm_mmdet_cli.nearest import nearest

from .places import places_of_key

# Runner's arguments, and what it, mmdet and the tools ask the whole config for.
READ_KEYS = frozenset(inspect.signature(Runner.__init__).parameters) - {"self", "cfg"} | {
    *("custom_imports", "default_scope", "runner_type", "model_wrapper_cfg", "find_unused_parameters", "sync_bn"),
    *("activation_checkpointing", "efficient_conv_bn_eval", "compile", "log_config", "tta_model", "tta_pipeline"),
    *("needs_start", "strategy"),
}
ENV_KEYS = ("cudnn_benchmark", "mp_cfg", "dist_cfg", "resource_limit")
SCALING_KEYS = ("enable", "base_batch_size")


def check_options(cfg: Mapping, options: Mapping) -> None:
    """Refuse settings of the command line that would have no effect.

    Args:
        cfg (Mapping): the config before them.
        options (Mapping): values by dotted path.

    Raises:
        ConfigError: nothing reads a top-level key; the message names what works.
    """
    for path in options:
        key, dot, rest = path.partition(".")
        if key not in READ_KEYS:
            raise ConfigError(f"--cfg-options {path}=...: {no_effect(cfg, key, dot + rest)}")


def no_effect(cfg: Mapping, key: str, rest: str = "") -> str:
    """Says that nothing reads a top-level key, and what works instead."""
    found = get_close_matches(key, sorted(READ_KEYS), n=1, cutoff=0.75)
    if found:
        return f"nothing reads {key!r}. Did you mean {found[0]}{rest}?"
    # Configs put such values where they are read before an option can change them.
    read = {name: cfg[name] for name in cfg if name in READ_KEYS}
    places = [place for place in places_of_key(read, key) if "." in place]
    how = f" Set {', '.join(place + rest for place in places[:3])}." if places else nearest(key, sorted(READ_KEYS))
    return f"nothing reads {key!r} once the config is built.{how}"


def check_known_tables(cfg: Mapping) -> None:
    """Refuse misspelt keys of tables that mmengine reads by name and otherwise passes over.

    Raises:
        ConfigError: such a key.
    """
    if not isinstance(cfg.get("default_scope", ""), str):
        raise ConfigError(f"default_scope is {cfg.get('default_scope')!r}; it names a package, 'hqm_mmdet'.")
    for table, known in (("env_cfg", ENV_KEYS), ("auto_scale_lr", SCALING_KEYS)):
        given = cfg.get(table)
        for key in given if isinstance(given, Mapping) else ():
            if key not in known:
                raise ConfigError(
                    f"{table}.{key}: nothing reads it. Known are {', '.join(known)}.{nearest(key, known)}"
                )


def unread_in_files(path: str | Path, cfg: Mapping) -> list[str]:
    """Warnings of top-level names in a config file and its bases that neither the files nor any component read.

    Args:
        path (str | Path): of the file.
        cfg (Mapping): what it holds.

    Returns:
        list[str]: empty also if the files can't be looked through (bases of other packages, Python-style configs).
    """
    try:
        texts = _texts(Path(path))
    except (OSError, ValueError, SyntaxError):
        return []
    # Also inside of strings: mmengine knows `{{_base_.name}}`.
    used = {name for text in texts for name in re.findall(r"_base_\.(\w+)", text)}
    trees = [ast.parse(text) for text in texts]
    loads = [n.id for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    unread = [key for key in cfg if key not in READ_KEYS | used | set(loads)]
    return [f"{path}: {no_effect(cfg, key)}" for key in unread]


def _texts(path: Path) -> list[str]:
    """A config file and all that it inherits from.

    Raises:
        ValueError: a base that is no file path.
    """
    text = path.read_text(encoding="utf-8")
    texts = [text]
    for base in _bases(ast.parse(text)):
        if "::" in base:
            raise ValueError(base)
        texts += _texts(path.parent / base)
    return texts


def _bases(tree: ast.Module) -> Sequence[str]:
    for node in tree.body:
        if isinstance(node, ast.With):
            raise ValueError("a config in Python's style")
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_base_":
            bases = ast.literal_eval(node.value)
            return [bases] if isinstance(bases, str) else list(bases)
    return []
