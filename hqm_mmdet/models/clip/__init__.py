"""CLIP: image and text tower, its weights from the files people have, prompts, text classifiers. Knows no detector."""

from .images import FrozenCLIPVision, clip_input, clip_view
from .model import CLIP, NAMED_SIZES, CLIPSize, VisionTower
from .phrases import Phrases, PromptError, load_phrases
from .sources import read_clip, to_openai_names
from .text_classifiers import text_classifier, text_classifiers
from .tokens import tokenize

__all__ = [
    "CLIP",
    "NAMED_SIZES",
    "CLIPSize",
    "FrozenCLIPVision",
    "Phrases",
    "PromptError",
    "VisionTower",
    "clip_input",
    "clip_view",
    "load_phrases",
    "read_clip",
    "text_classifier",
    "text_classifiers",
    "to_openai_names",
    "tokenize",
]
