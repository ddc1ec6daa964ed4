"""UPT and PViC as graphs: instances in, pairs out; and whole, with a query detector before them."""

from collections.abc import Sequence

import torch
from mmdet.models.detectors import DABDETR, DETR, DINO, ConditionalDETR, DeformableDETR
from mmdet.structures import DetDataSample
from torch import Tensor, nn

from hqm_mmdet.internals import shape_of
from hqm_mmdet.models.pair_transformers import Candidates, PairTransformerHOI
from hqm_mmdet.models.pair_transformers.candidates import persons_with_others
from hqm_mmdet.models.two_stage import DetectorFeatures, HDeformableDETR, Scene
from hqm_mmdet.models.two_stage.feature_readers import best_queries

from .graph import ExportError, GraphModule
from .graph_nms import suppressed
from .image_to_pairs import SIZES, noise, normalised, refuse_padding

NUM_INSTANCES = (5, 3, 9)  # of examples
QUERY_DETECTORS = (DETR, ConditionalDETR, DABDETR, DeformableDETR, HDeformableDETR, DINO)
# Of examples for detectors that choose their queries among the positions of an image: up to 900.
LARGE_SIZES = ((320, 256), (260, 444), (288, 300))


class InstancesToPairs(GraphModule):
    """The head of a :class:`~hqm_mmdet.models.pair_transformers.PairTransformerHOI` alone.

    Any number of instances, in any order, which the selection has passed already: suppression and limits stand in the
    file's metadata (``selection``).

    Args:
        model (nn.Module): of :func:`init_model`.

    Raises:
        ExportError: PViC with shifted windows, whose masks depend on the size of the map.
    """

    def __init__(self, model: nn.Module):
        super().__init__(model)
        self.head, self.selection = model.bbox_head, model.selection
        blocks = getattr(getattr(self.head, "map_head", None), "blocks", ())
        if len(blocks) > 1:
            raise ExportError(
                f"bbox_head.num_blocks={len(blocks)}: every other Swin block shifts its windows, and which of them are "
                "kept apart depends on the map's size, which a graph would freeze. One block can be exported."
            )

    @property
    def dynamic_axes(self) -> dict[str, dict[int, str]]:
        """See :class:`GraphModule`."""
        free = {name: {0: "instances"} for name in ("boxes", "scores", "labels", "features")}
        return free | {name: {2: f"{name}_height", 3: f"{name}_width"} for name in self._maps}

    @property
    def _maps(self) -> dict[str, int]:
        """Names of the maps that the head reads, with their channels, the coarsest last."""
        pyramid = getattr(self.head, "map_head", None)
        channels = [layer.in_channels for layer in pyramid.inner] if pyramid else [self.head.map_channels]
        return {f"map{i}": width for i, width in enumerate(channels)}

    def examples(self, generator: torch.Generator) -> list[dict[str, Tensor]]:
        """See :class:`GraphModule`; made-up instances, a person among them."""
        return [self._example(*each, generator) for each in zip(NUM_INSTANCES, SIZES, strict=True)]

    def _example(self, count: int, size: tuple[int, int], generator: torch.Generator) -> dict[str, Tensor]:
        corners = torch.rand(count, 2, 2, generator=generator).sort(1)[0] * torch.tensor([size[1], size[0]])
        labels = torch.randint(self.head.num_obj_classes, (count,), generator=generator)
        labels[:2] = self.selection.subject_label
        maps = {}
        for name, channels in reversed(self._maps.items()):
            shape = [side // 16 * 2 ** len(maps) for side in size]
            maps[name] = torch.randn(1, channels, *shape, generator=generator)
        return dict(
            boxes=corners.flatten(1),
            scores=torch.rand(count, generator=generator),
            labels=labels,
            features=torch.randn(count, self.head.in_channels, generator=generator),
            image_size=torch.tensor(size),
            **{name: maps[name] for name in self._maps},
        )

    def forward(
        self, boxes: Tensor, scores: Tensor, labels: Tensor, features: Tensor, image_size: Tensor, *maps: Tensor
    ) -> tuple[Tensor, ...]:
        """N instances of an image to M pairs: every person with every other instance.

        Args:
            boxes (Tensor): (N, 4) x1, y1, x2, y2 in pixels of the network's input.
            scores (Tensor): (N,).
            labels (Tensor): (N,) int64, of the data set.
            features (Tensor): (N, D), see the table of detectors in ``docs/two_stage.md``.
            image_size (Tensor): (2,) int64, height and width of the network's input, pixels.
            *maps (Tensor): (1, C, h, w), the coarsest last.

        Returns:
            tuple[Tensor, ...]: as :class:`ImageToPairs`, M rows.
        """
        pairs = persons_with_others(labels, self.selection.subject_label)
        # One of each besides that nobody sees, so that an image without any gives no empty softmax.
        boxes, labels, scores, features = (_and_nothing(each) for each in (boxes, labels, scores, features))
        sub, obj = _and_nothing(pairs.T).T[:, None].unbind()
        candidates = Candidates(
            boxes=boxes[None],
            labels=labels[None],
            scores=scores[None],
            features=features[None],
            absent=_last(labels)[None],
            sub=sub,
            obj=obj,
            padding_mask=_last(sub[0])[None],
            sizes=image_size.flip(0)[None].to(boxes.dtype),
        )
        maps = tuple(each[0] for each in maps)
        padding = tuple(torch.zeros_like(each[0], dtype=torch.bool) for each in maps)
        memory = self.head.read_maps([Scene(None, maps, padding, (0, 0))])
        verbs = self.head.verb_scores(self.head(candidates, memory), candidates)
        sub_boxes, obj_boxes = (candidates.of_pairs(who, candidates.boxes) for who in ("sub", "obj"))
        whole = image_size.flip(0).repeat(2)
        found = (sub_boxes / whole, obj_boxes / whole, candidates.obj_labels)
        return tuple(each[0, :-1] for each in (*found, candidates.of_pairs("obj", candidates.scores), verbs))

    def metadata(self) -> dict:
        """How instances are selected before."""
        select = self.selection
        least, most = select.limits
        limits = dict(score_thr=select.score_thr, min_instances=least, max_instances=most)
        return dict(
            selection=dict(subject_label=select.subject_label, nms_iou=select.nms_iou, clamp=select.clamp, **limits)
        )


def _and_nothing(rows: Tensor) -> Tensor:
    """(N, ...) rows and one of zeros."""
    return torch.cat([rows, rows.new_zeros(1, *rows.shape[1:])])


def _last(rows: Tensor) -> Tensor:
    """(N,) bool, True at the last of N rows."""
    places = torch.arange(rows.shape[0], device=rows.device)
    return places == rows.shape[0] - 1


class DetectionsToPairs(GraphModule):
    """A query detector, the selection of instances, and the head: image in, pairs out.

    Args:
        model (nn.Module): of :func:`init_model`.

    Raises:
        ExportError: its images are padded or resized on the way, or as in :class:`InstancesToPairs`.
    """

    dynamic_axes = {"image": {2: "height", 3: "width"}}

    def __init__(self, model: nn.Module):
        super().__init__(model)
        self.provider, self.head = model.instances, InstancesToPairs(model)
        refuse_padding(self.provider.detector.data_preprocessor)
        if self.provider.scale is not None:
            raise ExportError(
                "instances.scale resizes images for the detector, which is no part of a graph. Export with "
                "--cfg-options model.instances.scale=None and resize before, or the head alone with --head."
            )

    def examples(
        self, generator: torch.Generator, sizes: Sequence[tuple[int, int]] | None = None
    ) -> list[dict[str, Tensor]]:
        """See :class:`GraphModule`; noise of heights and widths."""
        large = getattr(self.provider.detector, "as_two_stage", False)
        sizes = sizes or (LARGE_SIZES if large else SIZES)
        return [{"image": noise((1, 3, *size), generator)} for size in sizes]

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """One image to M pairs; arguments and results as in :class:`ImageToPairs`, M depends on what is found."""
        detector = self.provider.detector
        image = normalised(image, detector.data_preprocessor)
        size = tuple(image.shape[2:])
        maps = detector.backbone(image)
        feats = detector.neck(maps) if detector.with_neck else maps
        sample = DetDataSample(metainfo=dict(img_shape=size, batch_input_shape=size))
        outputs = detector.forward_transformer(feats, [sample])
        (found,) = best_queries(detector, outputs, self.provider.official_feature_index)
        labels = found.labels if self.provider.labels is None else self.provider.labels[found.labels]
        image_size = shape_of(image)[2:]
        whole = image_size.flip(0).repeat(2).to(found.bboxes)
        boxes = found.bboxes * whole
        kept = self._selected(boxes, labels, found.scores)
        boxes, scores, labels, features = (each[kept] for each in (boxes, found.scores, labels, found.features))
        if self.model.selection.clamp:
            boxes = torch.minimum(boxes.clamp(min=0), whole)
        chosen = [maps[level] for level in self.provider.map_levels]
        return self.head(boxes, scores, labels, features, image_size, *chosen)

    def _selected(self, boxes: Tensor, labels: Tensor, scores: Tensor) -> Tensor:
        """Rows that :class:`~hqm_mmdet.models.pair_transformers.InstanceSelection` takes, in its order."""
        select = self.model.selection
        known = (labels >= 0).nonzero()[:, 0]
        found = (boxes[known], labels[known], scores[known])
        kept = known[suppressed(*found, select.nms_iou, self.model.bbox_head.num_obj_classes)]
        persons = labels[kept] == select.subject_label
        return torch.cat([self._best(kept[persons], scores), self._best(kept[~persons], scores)])

    def _best(self, rows: Tensor, scores: Tensor) -> Tensor:
        least, most = self.model.selection.limits
        # Of rows in descending order the certain ones come first.
        places = torch.arange(rows.shape[0], device=rows.device)
        certain = scores[rows] >= self.model.selection.score_thr
        return rows[(certain | (places < least)) & (places < most)]


def pair_graph(model: PairTransformerHOI, head_only: bool = False) -> GraphModule:
    """The graph of a model: whole where its detector can be part of one, else its head."""
    return InstancesToPairs(model) if head_only or not whole_graph(model) else DetectionsToPairs(model)


def whole_graph(model: nn.Module) -> bool:
    """Whether a model's detector can be part of a graph.

    Query detectors can. RoI and dense detectors suppress boxes level by level and pool them from maps, in loops whose
    lengths depend on the image; tracing would freeze them.
    """
    return type(model.instances) is DetectorFeatures and type(model.instances.detector) in QUERY_DETECTORS
