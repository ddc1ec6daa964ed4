"""Interactions in a user's words: what a head that scores HOI classes by text is asked for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hqm_mmdet.models.clip import Phrases, PromptError, load_phrases, text_classifiers
from hqm_mmdet.structures import HOIClasses

from .hoi_class_head import HOIClassHead

PERSON = re.compile(r"^(?:a photo of )?(?:an? |the )?(?:person|man|woman|human|someone) +(?=\S)")
OBJECT = re.compile(r"^(?P<verb>.+?) +(?P<object>(?:an?|the|some) +(?!.* (?:an?|the|some) ).+)$")


@dataclass(frozen=True)
class Interaction:
    """One interaction.

    Args:
        prompt (str): what is encoded.
        verb (str): e.g. "repairing".
        obj (str, optional): e.g. "a bicycle"; None where nothing follows the verb.
    """

    prompt: str
    verb: str
    obj: str | None


def parse_interaction(text: str) -> Interaction:
    """ "a person repairing a bicycle" -> its parts: the person, what comes before the last article, the rest.

    Raises:
        PromptError: it does not start with a person, or nothing follows.
    """
    plain = " ".join(text.lower().split()).rstrip(".")
    if not PERSON.match(plain):
        raise PromptError(f"The interaction {text!r} must read like 'a person repairing a bicycle'.")
    deed = PERSON.sub("", plain)
    match = OBJECT.match(deed)
    verb, obj = (match["verb"], match["object"]) if match else (deed, None)
    return Interaction(f"{Phrases.PERSON} {deed}", verb, obj)


def interactions_of_verbs(verbs: Sequence[str], phrases: Phrases, classes: Sequence[str]) -> list[str]:
    """Every verb phrase with every object class, as texts for :func:`parse_interaction`."""
    return [f"a person {verb} {phrases.objects[name]}" for verb in verbs for name in classes]


def ask_for(head: HOIClassHead, texts: Sequence[str], clip: str | Path, cache: bool = True) -> HOIClasses:
    """Make a head score these interactions in place of its own classes; in evaluation mode, and for good.

    Rows are text embeddings as in training, their biases the mean of the head's own, so scores are comparable with
    those of its own classes. An object that the head does not know becomes a further object class. HOICLIP's verb
    classifier has its say where the verb is one of the data set's.

    Args:
        head (HOIClassHead): of a trained model.
        texts (Sequence[str]): see :func:`parse_interaction`.
        clip (str | Path): CLIP weights that the head was trained with, see :func:`~hqm_mmdet.models.clip.read_clip`.

    Returns:
        HOIClasses: what the head scores now.

    Raises:
        PromptError: no text, or one that can't be understood or encoded.
    """
    if not texts:
        raise PromptError("There is no interaction to look for. Give at least one, e.g. 'a person riding a bicycle'.")
    parsed, phrases = [parse_interaction(text) for text in texts], load_phrases(head.prompts)
    hois, new_objects = _classes(parsed, phrases, head.hois)
    prompts = [interaction.prompt for interaction in parsed]
    object_prompts = [phrases.object_prompt.format(name) for name in new_objects]
    rows, object_rows = text_classifiers(clip, [prompts, object_prompts], cache)
    head.ask(hois, rows, object_rows)
    return hois


def _classes(parsed: list[Interaction], phrases: Phrases, known: HOIClasses) -> tuple[HOIClasses, list[str]]:
    """The interactions as classes over the known and the new verbs and objects; phrases of the new objects."""
    verbs = {phrases.verbs[name]: name for name in known.verb_names}
    objects = {_noun(phrases.objects[name]): name for name in known.object_names}
    verb_names, object_names, new_objects, named = list(known.verb_names), list(known.object_names), [], []
    for interaction in parsed:
        verb = verbs.setdefault(interaction.verb, interaction.verb.replace(" ", "_"))
        if verb not in verb_names:
            verb_names.append(verb)
        obj = None
        if interaction.obj is not None:
            noun = _noun(interaction.obj)
            obj = objects.setdefault(noun, noun.replace(" ", "_"))
            if obj not in object_names:
                object_names.append(obj)
                new_objects.append(interaction.obj)
        named.append((verb, obj))
    return HOIClasses.of_names(verb_names, object_names, named), new_objects


def _noun(phrase: str) -> str:
    return phrase.split(" ", 1)[1]
