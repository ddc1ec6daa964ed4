"""Which setting of a config is to blame when something can't be built of it."""

import inspect
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType

from mmengine.config import Config
from torch.utils.data import DataLoader

from hqm_mmdet.errors import ConfigError, UserError
from hqm_mmdet.registry import component_names
from hqm_mmdet_cli.nearest import nearest

from .places import as_mapping, places_of_key, walk

# Functions of mmengine that build a part of a config, and what they call it.
BUILDERS = {
    "build_from_cfg": "cfg",
    "build_model_from_cfg": "cfg",
    "build_dataloader": "dataloader",
    "build_optim_wrapper": "optim_wrapper",
    "build_param_scheduler": "scheduler",
    "build_evaluator": "evaluator",
    "build_train_loop": "loop",
    "build_val_loop": "loop",
    "build_test_loop": "loop",
    "register_hook": "hook",
    "register_default_hooks": "hooks",
    "scale_lr": "auto_scale_lr",
    "from_cfg": "cfg",
    "set_randomness": "kwargs",
    "setup_env": "env_cfg",
}
UNEXPECTED = re.compile(r"got an unexpected keyword argument '(\w+)'")
UNREGISTERED = re.compile(r"(\S+) is not in the \S+ registry")
NO_TYPE = 'must contain the key "type"'
ABSENT = re.compile(r"'(?:ConfigDict|dict)' object has no attribute '(\w+)'")
NO_KEY = re.compile(ABSENT.pattern + r"|^'?(\w+)'?$")


@contextmanager
def config_errors(cfg: Config, name: str | None = None) -> Iterator[None]:
    """While something is built of a config, tell its faults in one message: path of the setting, file, nearest name.

    Errors that do not come from building pass as they are, and so do errors that are told already.

    Args:
        cfg (Config): what is built from.
        name (str, optional): what it is called in messages. Default: its file.

    Raises:
        ConfigError: a setting can't be used.
    """
    try:
        yield
    except UserError as error:
        file = name or cfg.filename
        if type(error) is not ConfigError or not file or str(file) in str(error):
            raise
        raise ConfigError(f"Config {file}: {error}") from error
    except (OSError, FloatingPointError, MemoryError):
        raise  # told as they are; a missing file names itself
    except Exception as error:
        if (reason := explain(error, cfg)) is None:
            raise
        raise ConfigError(f"Config {name or cfg.filename or 'of the checkpoint'}: {reason}") from error


def explain(error: Exception, cfg: Mapping) -> str | None:
    """What is wrong with a config, if the error arose while something was built of it."""
    cfg = as_mapping(cfg)
    cause, part = _innermost(error)
    if part is None:
        match = UNEXPECTED.search(str(error)) if isinstance(error, TypeError) else None
        if match and places_of_key(cfg, match[1]):
            return _unexpected(match[1], None, "", cfg)
        match = ABSENT.search(str(error)) if isinstance(error, AttributeError) else None
        keys = [path.rpartition(".")[2] for path, _ in walk(cfg) if path]
        return f"{match[1]!r} is missing, or misspelt.{nearest(match[1], keys)}" if match else None
    text = str(cause.args[0]) if cause.args else ""
    place = _place(part, cfg)
    kind = part.get("type") if isinstance(part, Mapping) else None
    if match := UNEXPECTED.search(text):
        return _unexpected(match[1], part, place, cfg)
    if match := UNREGISTERED.search(text):
        guess = nearest(match[1], sorted(component_names()))
        return f"{_at(place, 'type')}: there is no component {match[1]!r}.{guess}"
    if NO_TYPE in text:
        known = sorted(_siblings(place, cfg))
        return f"{place or 'a component'} has no type, so nothing can be built of it.{nearest(_last(place), known)}"
    if isinstance(cause, KeyError | AttributeError) and (match := NO_KEY.search(text)):
        key = match[1] or match[2]
        return f"{_at(place, key)} is missing, or misspelt.{nearest(key, [str(k) for k in part])}"
    for path, value in walk(part):
        # mmengine looks some types up without a word, and fails later.
        if _last(path) == "type" and isinstance(value, str) and "." not in value and value not in component_names():
            guess = nearest(value, sorted(component_names()))
            return f"{_at(place, path)}: there is no component {value!r}.{guess}"
    what = f" ({_name(kind)})" if kind else ""
    return f"{place or 'a component'}{what} can't be built: {type(cause).__name__}: {text}"


def _unexpected(key: str, part, place: str, cfg: Mapping) -> str:
    given = isinstance(part, Mapping) and key in part
    if not given and (places := places_of_key(cfg, key)):
        return f"{places[0]}: unknown setting.{nearest(key, _siblings(places[0], cfg))}"
    kind = part.get("type") if isinstance(part, Mapping) else None
    what = f" of {_name(kind)}" if kind else ""
    return f"{_at(place, key)}: no setting{what}.{nearest(key, parameters_of(part))}"


def parameters_of(part: Mapping) -> list[str]:
    """Names that a component's constructor takes, those of its base classes included."""
    if "dataset" in part and "type" not in part:
        return [*inspect.signature(DataLoader.__init__).parameters, "sampler", "dataset"]
    kind = part.get("type")
    built = component_names_to_objects(kind) if isinstance(kind, str) else kind
    classes = inspect.getmro(built) if inspect.isclass(built) else []
    names = {name for each in classes if "__init__" in vars(each) for name in _parameters(each.__init__)}
    return sorted(names - {"self", "args", "kwargs"}) if classes else _parameters(built) if callable(built) else []


def component_names_to_objects(name: str):
    """The component of a name, whichever registry holds it; None if none does."""
    from mmengine.registry import Registry

    from hqm_mmdet import registry as ours

    for registry in (value for value in vars(ours).values() if isinstance(value, Registry)):
        while registry is not None:
            if found := registry.module_dict.get(name.rpartition(".")[2]):
                return found
            registry = registry.parent
    return None


def _parameters(function) -> list[str]:
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # written in C
        return []


def _innermost(error: BaseException) -> tuple[BaseException, object]:
    """The first cause that arose while a part of the config was built, and that part."""
    found, part = error, None
    each: BaseException | None = error
    while each is not None:
        if (built := _built_part(each.__traceback__)) is not None:
            found, part = each, built
        each = each.__cause__ or each.__context__
    return found, part


def _built_part(traceback: TracebackType | None):
    """What the last builder in a traceback was given."""
    part = None
    while traceback is not None:
        frame = traceback.tb_frame
        if (name := BUILDERS.get(frame.f_code.co_name)) and frame.f_globals["__name__"].startswith("mmengine"):
            value = frame.f_locals.get(name)
            part = part if value is None else value
        traceback = traceback.tb_next
    return part


def _place(part, cfg: Mapping) -> str:
    """Path of a part: the one that equals it, else the one of its type that shares most with it."""
    if isinstance(part, Config) or not isinstance(part, Mapping | list | tuple):
        return ""
    parts = [(path, value) for path, value in walk(cfg) if path and isinstance(value, type(part) | Mapping | list)]
    equal = [path for path, value in parts if value == part]
    if equal or not isinstance(part, Mapping):
        return equal[0] if equal else ""
    kind = part.get("type")
    # A detector may add the type, or hand down settings of its own.
    same = [(path, value) for path, value in parts if isinstance(value, Mapping) and value.get("type", kind) == kind]
    shared = [(sum(part.get(key) == item for key, item in value.items()), path) for path, value in same]
    most, path = max(shared, default=(0, ""))
    return path if most else ""


def _siblings(place: str, cfg: Mapping) -> list[str]:
    parent = place.rpartition(".")[0]
    return [path.rpartition(".")[2] for path, _ in walk(cfg) if path != place and path.rpartition(".")[0] == parent]


def _at(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def _last(place: str) -> str:
    return place.rpartition(".")[2]


def _name(kind) -> str:
    return kind if isinstance(kind, str) else getattr(kind, "__name__", str(kind))
