"""Human-object interaction detection for MMDetection: HQM and the detectors around it.

Importing the package registers all of its components (scope ``hqm_mmdet``).
"""

from . import compat

STACK = compat.setup()  # must precede everything that imports mmdet

from . import datasets, engine, evaluation, models, structures, visualization  # noqa: E402
from .version import __version__  # noqa: E402

__all__ = ["STACK", "__version__", "datasets", "engine", "evaluation", "models", "structures", "visualization"]
