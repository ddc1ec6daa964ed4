"""Two-stage detectors whose pairs are made of a detector's own features: UPT, PViC."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from mmdet.models.detectors import BaseDetector
from mmdet.structures import OptSampleList, SampleList
from torch import Tensor

from hqm_mmdet.models.freezing import TrainableParts
from hqm_mmdet.models.query_mining import LearnablePass
from hqm_mmdet.models.task_modules import PairTargets
from hqm_mmdet.models.two_stage import Scene, in_original_frame
from hqm_mmdet.registry import MODELS, TASK_UTILS
from hqm_mmdet.structures import HOIDataSample

from .candidates import Candidates, pair_up
from .hard_pairs import best_candidates, of_sources, positives, shifted_candidates


@MODELS.register_module()
class PairTransformerHOI(BaseDetector, metaclass=TrainableParts):
    """Image to pairs, in one direction.

    .. code:: text

        image -> instances -> scenes: boxes, labels, scores, features, maps -> selection -> candidate pairs
        maps -> head.read_maps -> memory
        candidates -> head.encode(memory) -> queries -> head.decode(memory) -> head.classify -> scores
                                                                        -> head.loss          (training)
                                                                        -> head.predict       (inference)
        mined: shifted pairs -> head.encode, masked copies -> head.decode -> head.loss        (training with mining)

    Args:
        instances (dict): config of a provider of scenes: :class:`DetectorFeatures` or :class:`PooledFeatures`.
        selection (dict): config of :class:`InstanceSelection`.
        bbox_head (dict): config of a :class:`CandidateHead`.
        query_mining (dict, optional): config of :class:`JointLearning`. Default None: the plain detector.
        suppression (dict, optional): config of
            :class:`~hqm_mmdet.models.interactiveness.NonInteractionSuppression`. Default None: none.
        trainable (list[str], optional): see :func:`~hqm_mmdet.models.freezing.train_only`.
        data_preprocessor, init_cfg (dict, optional): as in mmdet.
    """

    def __init__(
        self,
        instances: dict,
        selection: dict,
        bbox_head: dict,
        query_mining: dict | None = None,
        suppression: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ):
        super().__init__(data_preprocessor, init_cfg)
        self.instances = MODELS.build(instances)
        self.selection = TASK_UTILS.build(selection)
        self.bbox_head = MODELS.build(bbox_head)
        with torch.random.fork_rng(devices=[]):  # with one seed, the same initial weights with and without them
            self.query_mining = MODELS.build(query_mining) if query_mining else None
            self.suppression = MODELS.build(suppression) if suppression else None

    @property
    def required_parameters(self) -> tuple[str, ...]:
        """Prefixes of parameters that never learn and have no file of their own: a checkpoint must give them."""
        return tuple(f"instances.{name}" for name in self.instances.required_parameters)

    def extract_feat(self, batch_inputs: Tensor, batch_data_samples: OptSampleList = None) -> list[Scene]:
        """Selected instances and maps of images (B, 3, H, W).

        Raises:
            InstanceError: a number is not finite, or features do not fit the head.
        """
        samples = batch_data_samples or [HOIDataSample() for _ in batch_inputs]
        for sample in samples:
            if "img_shape" not in sample:
                sample.set_metainfo({"img_shape": tuple(batch_inputs.shape[-2:])})
        scenes = [scene.checked() for scene in self.instances(batch_inputs, samples, self.data_preprocessor)]
        self.bbox_head.checked(scenes)
        return [self.selection(scene) for scene in scenes]

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict[str, Tensor]:
        """Loss terms of a batch; ``batch_data_samples`` need ``gt_pairs`` and what the provider reads."""
        scenes = self.extract_feat(batch_inputs, batch_data_samples)
        candidates = pair_up(scenes, self.selection.subject_label)
        memory = self.bbox_head.read_maps(scenes)
        queries = self.bbox_head.encode(candidates, memory)
        if self.query_mining is not None:
            queries = self.query_mining.prepare(queries)
        preds = self.bbox_head.classify(self.bbox_head.decode(queries, memory))
        overlaps = self.bbox_head.overlaps(candidates, batch_data_samples)
        labels = self.bbox_head.labels(overlaps, batch_data_samples)
        prior = self.bbox_head.prior(candidates)
        losses = self.bbox_head.loss(preds, prior, labels)
        if self.query_mining is not None:
            targets = PairTargets.from_samples(batch_data_samples)
            matched = best_candidates(overlaps, len(preds["verb_logits"]))
            learnable = LearnablePass(queries, memory, targets, matched)
            losses.update(self._hard_loss(learnable, scenes, candidates, prior, labels))
            # a zero, and so no loss of its own
            losses[self.bbox_head.score_loss] = losses[self.bbox_head.score_loss] + self.query_mining.idle_term()
        return losses | self.instances.loss(batch_inputs, batch_data_samples, self.data_preprocessor)

    def _hard_loss(
        self,
        learnable: LearnablePass,
        scenes: Sequence[Scene],
        candidates: Candidates,
        prior: Tensor,
        labels: Tensor,
    ) -> dict[str, Tensor]:
        """Loss terms of the hard pairs of this iteration, prefixed with their name.

        Args:
            learnable (LearnablePass): the candidates' pass.
            scenes (Sequence[Scene]), candidates (Candidates): what it was made of.
            prior, labels (Tensor): (B, M, outputs) of the candidates.
        """
        head, losses = self.bbox_head, {}
        for hard in self.query_mining(learnable):
            if hard.sub_boxes is None:  # copies of candidates have to answer what those have to
                queries, own_prior, own_labels = hard, of_sources(prior, hard), of_sources(labels, hard)
            else:
                given = (hard, learnable.targets, scenes, candidates, learnable.assigned)
                pairs = shifted_candidates(*given, self.selection.subject_label)
                queries = replace(head.encode(pairs, learnable.memory), rule=hard.rule, post_norm=hard.post_norm)
                own_prior = head.prior(pairs)
                own_labels = learnable.targets.verb_labels[..., head.verb_order]
            own_prior = own_prior * positives(hard, own_prior.shape[:2])[..., None]
            context = learnable.queries if hard.rule is not None else None
            preds = head.classify(head.decode(queries, learnable.memory, context))
            for name, value in head.loss(preds, own_prior, own_labels).items():
                losses[f"{hard.name}.{name}"] = hard.weight_of(name) * value
        return losses

    def predict(self, batch_inputs: Tensor, batch_data_samples: SampleList, rescale: bool = True) -> SampleList:
        """Fill ``pred_pairs`` of the samples.

        Args:
            batch_inputs (Tensor): (B, 3, H, W).
            batch_data_samples (list[HOIDataSample]): with ``ori_shape``, ``img_shape``, and what the provider reads.
            rescale (bool): boxes in pixels of the original image, else of the network's input. Default True.
        """
        scenes = self.extract_feat(batch_inputs, batch_data_samples)
        found = self._pairs(scenes)
        for sample, pairs in zip(batch_data_samples, found, strict=True):
            sample.pred_pairs = in_original_frame(pairs, sample) if rescale else pairs
        if self.suppression is not None:
            self.suppression(batch_inputs, batch_data_samples, self.data_preprocessor, rescale)
        return batch_data_samples

    def _pairs(self, scenes: Sequence[Scene]):
        candidates = pair_up(scenes, self.selection.subject_label)
        preds = self.bbox_head(candidates, self.bbox_head.read_maps(scenes))
        return self.bbox_head.predict(preds, candidates)

    def _forward(self, batch_inputs: Tensor, batch_data_samples: OptSampleList = None) -> dict[str, Tensor]:
        """Raw predictions: the head's dict, and ``sub_boxes``, ``obj_boxes`` (B, M, 4) in pixels, ``padding_mask``."""
        scenes = self.extract_feat(batch_inputs, batch_data_samples)
        candidates = pair_up(scenes, self.selection.subject_label)
        boxes = {f"{who}_boxes": candidates.of_pairs(who, candidates.boxes) for who in ("sub", "obj")}
        preds = self.bbox_head(candidates, self.bbox_head.read_maps(scenes))
        return preds | boxes | dict(padding_mask=candidates.padding_mask)
