"""What heads on candidate pairs of a detector share: the prior of valid verbs, targets, loss, scores."""

from abc import abstractmethod
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmdet.structures import SampleList
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from torch import Tensor, nn

from hqm_mmdet.errors import ClassMismatchError, ConfigError
from hqm_mmdet.models.layers import Memory, QuerySet
from hqm_mmdet.models.two_stage import InstanceError, Scene
from hqm_mmdet.registry import MODELS
from hqm_mmdet.structures import load_hoi_classes, new_pairs, pair_iou

from .candidates import Candidates
from .pair_verb_loss import associated_verbs


class CandidateHead(BaseModule):
    """Base of heads that score verbs of a detector's candidate pairs.

    .. code:: text

        scenes     -> read_maps -> memory
        candidates -> encode(memory) -> queries -> decode(memory) -> states -> classify -> verb_logits

    Args:
        num_obj_classes (int): object labels.
        num_verbs (int): V, verbs of the data set.
        in_channels (int): D, of an instance's features.
        map_channels (int): of the coarsest map.
        embed_dims (int): width that instances are brought to. Default: 256.
        hois (str, optional): which verbs an object can have, see :func:`~hqm_mmdet.structures.load_hoi_classes`; others
            are never scored. Default None: all.
        verb_order (Sequence[int], optional): the verb of each output, for weights that know fewer verbs or another
            order. Default: the verbs as they come.
        score_power (float): exponent of both detection scores in a result's score. Default: 2.8, for softmax detectors;
            1.7 for sigmoid ones.
        loss_verb (dict, optional): config of the verb loss. Default: :class:`PairVerbLoss`.
        init_cfg (dict, optional): as in mmengine.

    Raises:
        HOIClassError: no such table.
        ConfigError: the table is of other numbers of verbs and object classes.
    """

    vocabulary, score_loss = "verb", "loss_verb"

    def __init__(
        self,
        num_obj_classes: int,
        num_verbs: int,
        in_channels: int,
        map_channels: int,
        embed_dims: int = 256,
        hois: str | None = None,
        verb_order: Sequence[int] | None = None,
        score_power: float = 2.8,
        loss_verb: dict | None = None,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        self.num_obj_classes, self.num_verbs, self.embed_dims = num_obj_classes, num_verbs, embed_dims
        self.in_channels, self.map_channels, self.score_power = in_channels, map_channels, score_power
        # A detector of the head's own width, such as DETR, passes as it is.
        self.input_proj = nn.Identity() if in_channels == embed_dims else nn.Linear(in_channels, embed_dims)
        order = torch.tensor(list(verb_order) if verb_order is not None else list(range(num_verbs)))
        places = torch.full((num_verbs,), len(order))  # of the verbs among the outputs; one further: not scored
        places[order] = torch.arange(len(order))
        self.register_buffer("verb_order", order, persistent=False)
        self.register_buffer("verb_places", places, persistent=False)
        self.register_buffer("valid", self._valid_table(hois), persistent=False)
        self.loss_verb = MODELS.build({"type": "PairVerbLoss", **(loss_verb or {})})

    def _valid_table(self, hois: str | None) -> Tensor:
        """(object labels, V) bool, which verb an object can have."""
        if hois is None:
            return torch.ones(self.num_obj_classes, self.num_verbs, dtype=torch.bool)
        table = load_hoi_classes(hois)
        if len(table.verb_names) != self.num_verbs or len(table.object_names) != self.num_obj_classes:
            raise ConfigError(
                f"bbox_head.hois={hois!r} has {len(table.verb_names)} verbs and {len(table.object_names)} object "
                f"classes, the head num_verbs={self.num_verbs} and num_obj_classes={self.num_obj_classes}."
            )
        valid = torch.zeros(self.num_obj_classes + 1, self.num_verbs, dtype=torch.bool)  # the last: no object
        valid[list(table.objects), list(table.verbs)] = True
        return valid[:-1]

    @abstractmethod
    def read_maps(self, scenes: Sequence[Scene]) -> Memory:
        """What queries read of the images."""

    @abstractmethod
    def encode(self, candidates: Candidates, memory: Memory) -> QuerySet:
        """Candidate pairs as queries, (B, M, E)."""

    @abstractmethod
    def decode(self, queries: QuerySet, memory: Memory, context: QuerySet | None = None) -> Tensor:
        """States (L, B, M, E) of any query set.

        Args:
            queries (QuerySet): what is decoded.
            memory (Memory): of :meth:`read_maps`.
            context (QuerySet, optional): the learnable pass's queries, where ``queries`` are masked copies of them.
        """

    @abstractmethod
    def classify(self, states: Tensor) -> dict[str, Tensor]:
        """``verb_logits`` (L, B, M, outputs) float32, of states (L, B, M, E)."""

    def forward(self, candidates: Candidates, memory: Memory) -> dict[str, Tensor]:
        """Raw scores of candidate pairs, of every layer: ``verb_logits`` (L, B, M, outputs)."""
        return self.classify(self.decode(self.encode(candidates, memory), memory))

    def checked(self, scenes: Sequence[Scene]) -> None:
        """Refuse features that do not fit.

        Raises:
            InstanceError: names the numbers and the option.
        """
        for scene in scenes:
            features, channels = scene.instances.features.shape[1], scene.maps[-1].shape[0]
            for name, ours, theirs in (
                ("in_channels", self.in_channels, features),
                ("map_channels", self.map_channels, channels),
            ):
                if ours != theirs:
                    raise InstanceError(
                        f"{scene.name}: the detector gives {theirs} channels, bbox_head.{name} is {ours}. Set "
                        f"model.bbox_head.{name}={theirs}."
                    )

    def prior(self, candidates: Candidates) -> Tensor:
        """(B, M, outputs): the product of both detection scores where the object can have the verb, else 0."""
        valid = self.valid[:, self.verb_order][candidates.obj_labels]
        return candidates.pair_scores[..., None] * (valid & ~candidates.padding_mask[..., None])

    def overlaps(self, candidates: Candidates, samples: SampleList) -> list[Tensor]:
        """(M, P) overlap of the candidates of each image with its labelled pairs; 0 of padding."""
        subs, objs = (candidates.of_pairs(who, candidates.boxes) for who in ("sub", "obj"))
        truth = [sample.gt_pairs for sample in samples]
        return [
            pair_iou(sub, obj, pairs.sub_bboxes.to(sub), pairs.obj_bboxes.to(sub)) * ~padding[:, None]
            for sub, obj, padding, pairs in zip(subs, objs, candidates.padding_mask, truth, strict=True)
        ]

    def labels(self, overlaps: Sequence[Tensor], samples: SampleList) -> Tensor:
        """(B, M, outputs) verbs of the candidates.

        Raises:
            ClassMismatchError: pairs are labelled with another number of verbs.
        """
        verbs = [sample.gt_pairs.verb_labels for sample in samples]
        for sample, each in zip(samples, verbs, strict=True):
            if each.shape[1] != self.num_verbs:
                raise ClassMismatchError(
                    f"{sample.get('img_path', 'An image')}: pairs are labelled with {each.shape[1]} verbs, but the "
                    f"head predicts {self.num_verbs}. Set model.bbox_head.num_verbs to the data set's number."
                )
        images = zip(overlaps, verbs, strict=True)
        return torch.stack([associated_verbs(each, verb.to(each)) for each, verb in images])[..., self.verb_order]

    def loss(self, preds: dict[str, Tensor], prior: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """``loss_verb``, over the outputs of all layers together.

        Args:
            preds (dict[str, Tensor]): of :meth:`classify`.
            prior, labels (Tensor): (B, M, outputs).
        """
        logits = preds["verb_logits"]
        with torch.autocast(logits.device.type, enabled=False):
            return {self.score_loss: self.loss_verb(logits, prior.expand_as(logits), labels.expand_as(logits))}

    def verb_scores(self, preds: dict[str, Tensor], candidates: Candidates) -> Tensor:
        """(B, M, V): of the last layer, times both detection scores to the power of ``score_power``; 0 of padding."""
        known = self.prior(candidates)
        scores = preds["verb_logits"][-1].sigmoid() * known.clamp(min=0) ** self.score_power
        return F.pad(scores, (0, 1))[..., self.verb_places]

    def predict(self, preds: dict[str, Tensor], candidates: Candidates) -> list[InstanceData]:
        """Scored pairs of every image, boxes in pixels of the network's input.

        Returns:
            list[InstanceData]: ``pred_pairs`` with ``sub_scores``, ``sub_ids``, ``obj_ids`` besides; ``verb_scores``
            as in :meth:`verb_scores`.
        """
        fields = dict(verb_scores=self.verb_scores(preds, candidates), sub_ids=candidates.sub, obj_ids=candidates.obj)
        for who in ("sub", "obj"):
            fields[f"{who}_bboxes"] = candidates.of_pairs(who, candidates.boxes)
            fields[f"{who}_scores"] = candidates.of_pairs(who, candidates.scores)
        fields["obj_labels"] = candidates.obj_labels
        return [
            new_pairs(**{name: value[i, :count] for name, value in fields.items()})
            for i, count in enumerate(candidates.counts)
        ]
