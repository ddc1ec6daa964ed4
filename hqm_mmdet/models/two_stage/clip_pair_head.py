"""Interactions without HOI training: prompts in place of a trained head."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from torch import Tensor, nn

from hqm_mmdet.models.clip import load_phrases, text_classifiers
from hqm_mmdet.registry import MODELS
from hqm_mmdet.structures import HOIClasses, load_hoi_classes

from .clip_crops import CropFeatures


@MODELS.register_module()
class CLIPPairHead(BaseModule):
    """Which prompt does a pair look like, among those that its object can have?

    A pair's probabilities are a softmax over the HOI classes of its object's label, of CLIP's cosines times its scale
    (Radford et al., ICML 2021, section 3.1). Where ``no_interaction`` is one of the verbs it competes too. Detection
    scores enter as factors, as in UPT: ``(subject * object) ^ score_power * probability``. Nothing here is trained.

    Args:
        num_obj_classes (int): object labels of the detector.
        num_verbs (int): V, verbs.
        hois (str): HOI classes, see :func:`~hqm_mmdet.structures.load_hoi_classes`. Default: ``hico_det``.
        clip (str, optional): CLIP weights for the text embeddings, see :func:`~hqm_mmdet.models.clip.read_clip`, read
            when the model gets its weights. Default None: a checkpoint has them.
        clip_dims (int): e, of CLIP's joint space. Default: 512.
        prompts (str, optional): phrases, see :func:`~hqm_mmdet.models.clip.load_phrases`. Default: those of ``hois``.
        templates (Sequence[str]): what is said with a prompt in place of ``{}``; the embeddings of all are averaged, as
            CLIP's prompt ensembles (section 3.1.4). Default: the prompt alone.
        neutral (str, optional): what a pair that does nothing looks like, with the object's phrase in place of ``{}``;
            competes, but is no result. It is what a single interaction in a user's words is compared with. Default: "a
            photo of a person and {}"; None: nothing competes besides.
        scale (float): factor on cosines, the inverse temperature; CLIP's own is 100. Default: 100.0.
        score_power (float): exponent of both detection scores. Default: 1.0.
        init_cfg (dict, optional): as in mmengine.
    """

    vocabulary = "hoi"

    def __init__(
        self,
        num_obj_classes: int,
        num_verbs: int,
        hois: str = "hico_det",
        clip: str | None = None,
        clip_dims: int = 512,
        prompts: str | None = None,
        templates: Sequence[str] = ("{}",),
        neutral: str | None = "a photo of a person and {}",
        scale: float = 100.0,
        score_power: float = 1.0,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        self.num_obj_classes, self.num_verbs = num_obj_classes, num_verbs
        self.hois, self.clip, self.prompts = load_hoi_classes(hois), clip, prompts or hois
        self.templates, self.scale, self.score_power = tuple(templates), scale, score_power
        self.neutral = neutral
        self.rows = nn.Parameter(F.normalize(torch.randn(len(self.hois), clip_dims), dim=1), requires_grad=False)
        # A row per object class that has HOI classes; without a neutral prompt none is looked at.
        neutral_rows = torch.zeros(num_obj_classes, clip_dims)
        self.neutral_rows = nn.Parameter(neutral_rows, requires_grad=False) if neutral else None

    def init_weights(self) -> None:
        """Rows become the text embeddings of the prompts.

        Raises:
            FileNotFoundError: no CLIP weights.
            PromptError: a class has no phrase.
        """
        super().init_weights()
        if self.clip is None:
            return
        phrases = load_phrases(self.prompts)
        prompts = phrases.hoi_prompts(self.hois.names())
        nothing = (
            [self.neutral.format(phrases.objects[name]) for name in self.hois.object_names] if self.neutral else []
        )
        lists = [[template.format(each) for each in said] for said in (prompts, nothing) for template in self.templates]
        found = text_classifiers(self.clip, lists)
        half = len(self.templates)
        self.rows.data = F.normalize(sum(found[:half]), dim=1)
        if self.neutral:
            self.neutral_rows.data = F.normalize(sum(found[half:]), dim=1)

    def ask(self, hois: HOIClasses, rows: Tensor, object_rows: Tensor) -> None:
        """Score other HOI classes from now on, see :func:`~hqm_mmdet.models.heads.open_vocabulary.ask_for`.

        Args:
            hois (HOIClasses): classes whose verbs and objects start with the head's own.
            rows (Tensor): (H, e) their text embeddings.
            object_rows (Tensor): of objects that the detector does not know: no pair has them.
        """
        self.hois, self.rows = hois, nn.Parameter(rows.to(self.rows), requires_grad=False)

    def forward(self, features: CropFeatures) -> dict[str, Tensor]:
        """``hoi_logits`` (P, H) and, with neutral prompts, ``neutral_logits`` (P, C): cosines times the scale."""
        embeds = self.scale * features.embeds.float()
        preds = dict(hoi_logits=embeds @ self.rows.T)
        if self.neutral_rows is not None:
            preds["neutral_logits"] = embeds @ self.neutral_rows.T
        return preds

    def predict(self, preds: dict[str, Tensor], pairs: InstanceData) -> InstanceData:
        """Scored pairs of an image.

        Args:
            preds (dict[str, Tensor]): of :meth:`forward`.
            pairs (InstanceData): of a pair sampler.

        Returns:
            InstanceData: ``pairs`` with ``hoi_scores`` and ``hoi_probs`` (P, H), which are equal, and ``hois`` as
            metainfo.
        """
        objects = torch.tensor(self.hois.objects, device=pairs.obj_labels.device)
        possible = pairs.obj_labels[:, None] == objects  # (P, H)
        logits = preds["hoi_logits"].masked_fill(~possible, float("-inf"))
        if "neutral_logits" in preds:
            logits = torch.cat([logits, preds["neutral_logits"].gather(1, pairs.obj_labels[:, None])], 1)
        # Of an object without any HOI class nothing is possible, and a softmax of nothing is NaN.
        probs = logits.softmax(1)[:, : len(objects)].masked_fill(~possible, 0)
        certain = (pairs.sub_scores * pairs.obj_scores) ** self.score_power
        pairs.hoi_scores = pairs.hoi_probs = probs * certain[:, None]
        pairs.set_metainfo(dict(hois=self.hois))
        return pairs
