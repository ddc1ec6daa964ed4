"""ToyHOI: a small procedural HOI data set, drawn on demand.

Reading order: ``vocabulary`` and ``settings`` say what there is; ``shapes``, ``person`` and
``props`` hold the drawings, ``interactions`` poses them verb by verb; ``group``, ``layout`` and
``scene`` compose an image, ``draw`` renders it, ``sample`` adds the annotation; ``manifest`` and
``writer`` make the folder.
"""

from .sample import sample_image
from .settings import ToySettings
from .vocabulary import TOY_CLASSES, TOY_VALID, TOY_VERBS
from .writer import make_toy_hoi

__all__ = ["TOY_CLASSES", "TOY_VALID", "TOY_VERBS", "ToySettings", "make_toy_hoi", "sample_image"]
