"""How a data set's verbs and objects are said to CLIP."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from hqm_mmdet.errors import UserError
from hqm_mmdet.utils.untrusted_values import parse_json

FOLDER = Path(__file__).parent / "prompts"


class PromptError(UserError, ValueError):
    """A class without a phrase, or a prompt that can't be encoded; the message names it."""


@dataclass(frozen=True)
class Phrases:
    """Phrases out of which prompts are made.

    Args:
        name (str): of the data set, for messages.
        verbs (dict[str, str]): verb name -> e.g. "riding".
        objects (dict[str, str]): object class name -> e.g. "a bicycle".
        object_prompt (str): prompt of an object class, with ``{}`` for its phrase.
        absent_object_prompt (str, optional): prompt of the class "no object" that V-COCO's detectors have.
        verbs_without_object (dict[str, str]): what a verb is called when nothing follows, where that is another phrase.
    """

    name: str
    verbs: dict[str, str]
    objects: dict[str, str]
    object_prompt: str
    absent_object_prompt: str | None = None
    verbs_without_object: dict[str, str] = field(default_factory=dict)

    PERSON, NOTHING = "a photo of a person", "a photo of nothing"

    def hoi_prompt(self, verb: str, obj: str | None) -> str:
        """E.g. ("ride", "bicycle") -> "a photo of a person riding a bicycle"; None is an absent object."""
        phrase = self._phrase(self.verbs, verb, "verb")
        if obj is None:
            return f"{self.PERSON} {self.verbs_without_object.get(verb, phrase)}"
        return f"{self.PERSON} {phrase} {self._phrase(self.objects, obj, 'object')}"

    def hoi_prompts(self, hois: Iterable[tuple[str, str | None]]) -> list[str]:
        """Prompts of (verb, object class) names."""
        return [self.hoi_prompt(verb, obj) for verb, obj in hois]

    def object_prompts(self, classes: Iterable[str]) -> list[str]:
        """Prompts of object classes, then that of the absent object where there is one, then that of "nothing"."""
        known = [self.object_prompt.format(self._phrase(self.objects, name, "object")) for name in classes]
        return [*known, *([self.absent_object_prompt] if self.absent_object_prompt else ()), self.NOTHING]

    def _phrase(self, phrases: dict[str, str], name: str, kind: str) -> str:
        if name not in phrases:
            raise PromptError(f"The prompts of {self.name} have no phrase for the {kind} {name!r}.")
        return phrases[name]


@cache
def load_phrases(name: str) -> Phrases:
    """Phrases of ``hico_det``, ``v_coco`` or ``toy_hoi``, or those in a JSON file.

    HICO-DET's and V-COCO's are the prompts of GEN-VLKT and HOICLIP, with their grammar ("a umbrella").

    Args:
        name (str): of a data set, or the path of a JSON file with ``verbs``, ``objects`` (COCO's classes need none) and
            ``object_prompt``.

    Raises:
        PromptError: neither.
    """
    path = FOLDER / f"{name}.json" if "/" not in name and not name.endswith(".json") else Path(name)
    if not path.is_file():
        raise PromptError(
            f"No prompts for {name!r}: expected hico_det, v_coco, toy_hoi or the path of a JSON file with verbs, "
            "objects and object_prompt."
        )
    table = parse_json(path.read_text(encoding="utf-8"))
    coco = json.loads((FOLDER / "coco_objects.json").read_text(encoding="utf-8"))["objects"]
    return Phrases(path.stem, objects={**coco, **table.pop("objects", {})}, **table)
