"""HOICLIP's head: a verb classifier beside the classifier of HOI classes."""

from pathlib import Path

from mmdet.models.layers import MLP
from torch import Tensor

from hqm_mmdet.registry import MODELS
from hqm_mmdet.safe_loading import CheckpointError, load_untrusted
from hqm_mmdet.structures import HOIClasses
from hqm_mmdet_cli.installation import script

from .hoi_class_head import HOIClassHead
from .text_classifier import TextClassifier


@MODELS.register_module()
class HOICLIPHead(HOIClassHead):
    """HOICLIP's head: interaction states lie in CLIP's joint space; a verb classifier adds its share.

    ``hoi = s (cos(z, text) + b) + verb_weight * s * cos(u, verb) A`` with the feature z, the verb adapter's u = MLP(z),
    and the 0/1 matrix A from verbs to HOI classes. Source: Ning et al., CVPR 2023, sections 3.3 and 3.4.

    Args:
        verb_weight (float): 0.5 on HICO-DET, 0.1 on V-COCO. Default 0.5.
        verb_file (str, optional): ``.safetensors`` file with the verb classifier's initial rows (V, e) as ``weight``,
            which are used as they are, whatever their length. Default None: random rows of length 1.
        train_text (bool): as in :class:`HOIClassHead`. Default False.
        **kwargs: as in :class:`HOIClassHead`.
    """

    eval_bias = False

    def __init__(
        self, *args, verb_weight: float = 0.5, verb_file: str | None = None, train_text: bool = False, **kwargs
    ):
        self.verb_weight, self.verb_file = verb_weight, verb_file
        super().__init__(*args, train_text=train_text, **kwargs)

    def _init_interaction_layers(self, embed_dims: int) -> None:
        half = self.clip_dims // 2
        self.verb_adapter = MLP(self.clip_dims, half, self.clip_dims, 3)
        self.verb_cls = TextClassifier(self.clip_dims, self.num_verbs, bias=False)
        # Buffers and not config: official V-COCO checkpoints were trained with a wrong matrix, which is part of them.
        self.register_buffer("verb_to_hoi", self.trained_hois.verb_matrix())
        if self.is_zero_shot:
            self.register_buffer("verb_to_all_hois", self.hois.verb_matrix())

    def init_weights(self) -> None:
        """As in :class:`HOIClassHead`; the verb classifier's rows come from ``verb_file``."""
        super().init_weights()
        if self.verb_file is not None:
            self.verb_cls.weight.data.copy_(read_verb_file(self.verb_file, self.verb_cls.weight.shape))

    def ask(self, hois: HOIClasses, rows: Tensor, object_rows: Tensor) -> None:
        """As in :class:`HOIClassHead`; verbs that the head does not have add nothing."""
        super().ask(hois, rows, object_rows)
        self.verb_to_hoi = hois.verb_matrix()[: self.num_verbs].to(self.verb_to_hoi)

    def hoi_features(self, interactions: Tensor) -> Tensor:
        """They are features already."""
        return interactions.float()

    def hoi_logits(self, features: Tensor) -> Tensor:
        """(L, B, N, e) -> (L, B, N, H)."""
        matrix = self.verb_to_hoi if self.scored_cls is self.hoi_cls else self.verb_to_all_hois
        verbs = self.verb_cls(self.verb_adapter(features)) @ matrix
        return self.hoi_scale.exp() * (self.scored_cls(features) + self.verb_weight * verbs)


def read_verb_file(path: str, shape: tuple[int, int]) -> Tensor:
    """Rows of a verb classifier, (V, e).

    Raises:
        FileNotFoundError: no such file.
        CheckpointError: it holds something else.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"There is no verb file {path} (model.bbox_head.verb_file). Make it from the training images of the config "
            f"that you train: python {script('clip/make_verb_file.py')} CONFIG. Or set verb_file=None: verb rows then "
            "start at random."
        )
    content = load_untrusted(path, "cpu")
    weight = content.get("state_dict", content).get("weight") if isinstance(content, dict) else content
    if not isinstance(weight, Tensor) or weight.shape != shape:
        found = tuple(weight.shape) if isinstance(weight, Tensor) else type(weight).__name__
        raise CheckpointError(f"verb_file {path} must hold `weight` of {tuple(shape)} (verbs, CLIP's width): {found}.")
    return weight.float()
