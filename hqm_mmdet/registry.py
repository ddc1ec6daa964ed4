"""Child registries of mmdet's, scope ``hqm_mmdet``.

A name is looked up here first, then in mmdet, then in mmengine, so configs need no prefixes.
"""

import mmdet.registry as _mmdet
from mmengine.registry import EVALUATOR as _MMENGINE_EVALUATOR
from mmengine.registry import FUNCTIONS as _MMENGINE_FUNCTIONS
from mmengine.registry import INFERENCERS as _MMENGINE_INFERENCERS
from mmengine.registry import Registry

from .internals import registry_locations

SCOPE = "hqm_mmdet"


def _child(parent: Registry) -> Registry:
    """A child that, like its parent, imports the parent's modules before its first look-up."""
    return Registry(parent.name, parent=parent, scope=SCOPE, locations=registry_locations(parent))


RUNNERS = _child(_mmdet.RUNNERS)
RUNNER_CONSTRUCTORS = _child(_mmdet.RUNNER_CONSTRUCTORS)
LOOPS = _child(_mmdet.LOOPS)
HOOKS = _child(_mmdet.HOOKS)
DATASETS = _child(_mmdet.DATASETS)
DATA_SAMPLERS = _child(_mmdet.DATA_SAMPLERS)
TRANSFORMS = _child(_mmdet.TRANSFORMS)
MODELS = _child(_mmdet.MODELS)
MODEL_WRAPPERS = _child(_mmdet.MODEL_WRAPPERS)
WEIGHT_INITIALIZERS = _child(_mmdet.WEIGHT_INITIALIZERS)
OPTIMIZERS = _child(_mmdet.OPTIMIZERS)
OPTIM_WRAPPERS = _child(_mmdet.OPTIM_WRAPPERS)
OPTIM_WRAPPER_CONSTRUCTORS = _child(_mmdet.OPTIM_WRAPPER_CONSTRUCTORS)
PARAM_SCHEDULERS = _child(_mmdet.PARAM_SCHEDULERS)
METRICS = _child(_mmdet.METRICS)
EVALUATOR = _child(_MMENGINE_EVALUATOR)
TASK_UTILS = _child(_mmdet.TASK_UTILS)
VISUALIZERS = _child(_mmdet.VISUALIZERS)
VISBACKENDS = _child(_mmdet.VISBACKENDS)
LOG_PROCESSORS = _child(_mmdet.LOG_PROCESSORS)
FUNCTIONS = _child(_MMENGINE_FUNCTIONS)
INFERENCERS = _child(_MMENGINE_INFERENCERS)


def component_names() -> set[str]:
    """All names, without scope, that are registered here, in mmdet or in mmengine."""
    names = set()
    for registry in (value for value in globals().values() if isinstance(value, Registry)):
        # As a look-up does: here first, then in mmdet, then in mmengine.
        while registry is not None:
            registry.import_from_location()  # mmengine and mmdet register on the first look-up
            names |= registry.module_dict.keys()
            registry = registry.parent
    return names
