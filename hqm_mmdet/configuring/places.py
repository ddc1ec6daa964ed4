"""Dotted paths of a config."""

from collections.abc import Iterator, Mapping

from mmengine.config import Config


def as_mapping(cfg: Config | Mapping) -> Mapping:
    """A config as the mapping that it is not."""
    return dict(cfg.items()) if isinstance(cfg, Config) else cfg


def walk(value, path: str = "") -> Iterator[tuple[str, object]]:
    """All parts of a config with their path, as ``--cfg-options`` names them."""
    yield path, value
    if isinstance(value, Mapping):
        items = [(str(key), value[key]) for key in value]
    else:
        items = [(str(i), item) for i, item in enumerate(value)] if isinstance(value, list | tuple) else []
    for key, item in items:
        yield from walk(item, f"{path}.{key}" if path else key)


def places_of_key(cfg: Mapping, key: str) -> list[str]:
    """Paths that end in a key."""
    return [path for path, _ in walk(cfg) if path.rpartition(".")[2] == key]
