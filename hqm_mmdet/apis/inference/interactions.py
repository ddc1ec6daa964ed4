"""A model that is asked for interactions in a user's words."""

import copy
from collections.abc import Sequence
from pathlib import Path

from torch import nn

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.models.clip import PromptError, load_phrases
from hqm_mmdet.models.heads.hoi_class_head import HOIClassHead
from hqm_mmdet.models.heads.open_vocabulary import ask_for, interactions_of_verbs
from hqm_mmdet.models.two_stage import CLIPPairHead


def look_for(model: nn.Module, interactions: Sequence[str], clip: str | Path | None = None, cache: bool = True) -> dict:
    """Make a model look for these interactions only, see :func:`~hqm_mmdet.models.heads.open_vocabulary.ask_for`.

    Args:
        model (nn.Module): of :func:`~hqm_mmdet.apis.init_model`, with ``cfg``.
        interactions (Sequence[str]): texts, or paths of text files with one per line.
        clip (str | Path, optional): CLIP weights. Default: those that the config names.
        cache (bool): keep the embeddings of the texts beside the CLIP weights. Default: True.

    Returns:
        dict: metainfo to show predictions with: the names and ids of what is looked for.

    Raises:
        ConfigError: the model does not score texts.
        FileNotFoundError: no CLIP weights.
        PromptError: an interaction that can't be understood or encoded.
    """
    head = text_head(model)
    if clip is None and head.clip is None:
        raise ConfigError("The config names no CLIP weights; give those that the model was trained with (--clip).")
    hois = ask_for(head, [text for each in interactions for text in _lines(each)], clip or head.clip, cache)
    classes, verbs = hois.object_names, hois.verb_names
    ids = dict(category_ids=tuple(range(1, len(classes) + 1)), verb_ids=tuple(range(1, len(verbs) + 1)))
    return dict(classes=classes, verbs=verbs, **ids)


def asked_model(model: nn.Module, interactions: Sequence[str], clip: str | Path | None = None) -> nn.Module:
    """A model that looks for these interactions and shares all but its head with ``model``, which stays as it is.

    Nothing is kept on disk, so texts of visitors leave no trace. Arguments, errors: as in :func:`look_for`; files with
    one interaction per line are not read.
    """
    if any(text.strip().endswith(".txt") for text in interactions):
        raise PromptError("An interaction reads like 'a person riding a bicycle'; names of files are not read here.")
    head = text_head(model)
    asked = copy.deepcopy(model, {id(part): part for part in model.children() if part is not head})
    asked.dataset_meta = look_for(asked, interactions, clip, cache=False)
    return asked


def interactions_with(model: nn.Module, verbs: Sequence[str]) -> list[str]:
    """Verb phrases, e.g. "repairing", with every object class of the model, as texts for :func:`look_for`."""
    head = text_head(model)
    return interactions_of_verbs(verbs, load_phrases(head.prompts), head.hois.object_names)


def text_head(model: nn.Module) -> HOIClassHead | CLIPPairHead:
    """The model's head, if it scores texts.

    Raises:
        ConfigError: it does not.
    """
    if not isinstance(model.bbox_head, HOIClassHead | CLIPPairHead):
        raise ConfigError(
            f"Interactions in one's own words need a model that scores texts (HOICLIP, GEN-VLKT, CLIPPairHead); this "
            f"is a {type(model).__name__}."
        )
    return model.bbox_head


def _lines(text: str) -> list[str]:
    file = Path(text)
    if not text.endswith(".txt"):
        return [text]
    if not file.is_file():
        raise FileNotFoundError(f"{file.absolute()} does not exist; it should hold one interaction per line.")
    return [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
