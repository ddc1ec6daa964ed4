"""A head that scores HOI classes by the embeddings of their descriptions."""

from typing import NamedTuple

from mmdet.models.layers import MLP
from mmdet.structures import SampleList
from mmengine.model import bias_init_with_prob
from mmengine.structures import InstanceData
from torch import Tensor, nn

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.models.clip import load_phrases, text_classifiers
from hqm_mmdet.models.task_modules import Assignment, HOITargets, PairTargets
from hqm_mmdet.registry import MODELS
from hqm_mmdet.structures import HOIClasses, load_hoi_classes, unseen_hois

from .hoi_head import HOIHead
from .postprocess import decode_hois, enhancement
from .text_classifier import TextClassifier, initial_scale


class InteractionStates(NamedTuple):
    """Decoder states of pairs whose subject, object and interaction have states of their own.

    Args:
        subjects, objects (Tensor): (L, B, N, D).
        interactions (Tensor): (L, B, N, D), or (L, B, N, e) if they lie in CLIP's joint space already.
        image_embeds (Tensor, optional): (B, e) CLIP's image embeddings as they are, where the detector has them.
    """

    subjects: Tensor
    objects: Tensor
    interactions: Tensor
    image_embeds: Tensor | None = None


@MODELS.register_module()
class HOIClassHead(HOIHead):
    """Scores HOI classes, GEN-VLKT's way (Liao et al., CVPR 2022): cosine to the text embedding of each description.

    Object classes are scored by text, too. Losses and matching are QPIC's with HOI classes in place of verbs.

    Args:
        num_obj_classes, num_verbs, embed_dims: as in :class:`HOIHead`.
        hois (str): HOI classes, see :func:`~hqm_mmdet.structures.load_hoi_classes`. Default ``hico_det``.
        unseen (str, optional): zero-shot split. Its classes are not trained; in evaluation mode all classes are scored,
            by a classifier of its own that is never trained. Default None.
        clip_dims (int): e, of CLIP's joint space. Default 512.
        clip (str, optional): CLIP weights that classifiers are computed from when training starts, see
            :func:`~hqm_mmdet.models.clip.read_clip`. Default None: random rows, for a checkpoint that holds them.
        prompts (str, optional): see :func:`~hqm_mmdet.models.clip.load_phrases`. Default: as ``hois``.
        hoi_prior (float, optional): probability that the untrained head gives to every HOI class, through its biases;
            speeds up training from scratch. Default None: biases of 0, a probability near one half.
        train_text (bool): whether the classifiers' rows and biases learn, as in GEN-VLKT. Default True.
        loss_hoi (dict, optional): default focal, alpha 0.5, probabilities clamped to [1e-4, 1 - 1e-4], weight 2.
        loss_image (dict, optional): :class:`CLIPMimicLoss` or :class:`CLIPReconstructionLoss`. Default None.
        enhance_top_k (int, optional): HOICLIP's training-free enhancement with the k classes nearest to the image.
            Default None.
        train_cfg (dict, optional): ``matcher``. Default: QPIC's with :class:`HOICost`.
        **kwargs: as in :class:`HOIHead`, without what is about verbs.

    Raises:
        ConfigError: an option about verbs is given.
    """

    vocabulary = "hoi"
    OF_VERBS = ("verb_prior", "verb_object_mask", "verb_reweighting", "loss_verb", "interactiveness")
    eval_bias = True  # whether the classifier of all classes of a zero-shot model has a bias; the official code's does
    COSTS = (dict(type="ObjectClassCost"), dict(type="HOICost"), dict(type="PairL1Cost"), dict(type="PairGIoUCost"))

    def __init__(
        self,
        num_obj_classes: int,
        num_verbs: int,
        embed_dims: int = 256,
        hois: str = "hico_det",
        unseen: str | None = None,
        clip_dims: int = 512,
        clip: str | None = None,
        prompts: str | None = None,
        hoi_prior: float | None = None,
        train_text: bool = True,
        loss_hoi: dict | None = None,
        loss_image: dict | None = None,
        enhance_top_k: int | None = None,
        train_cfg: dict | None = None,
        **kwargs,
    ):
        misplaced = [name for name in self.OF_VERBS if kwargs.get(name) is not None]
        if misplaced:
            raise ConfigError(
                f"bbox_head.{misplaced[0]} is for heads that score verbs; this one scores HOI classes (hoi_prior, "
                "loss_hoi)."
            )
        self.hois, self.prompts, self.clip = load_hoi_classes(hois), prompts or hois, clip
        left_out = unseen_hois(hois, unseen) if unseen else ()
        self.seen = [i for i in range(len(self.hois)) if i not in left_out]
        self.trained_hois = self.hois.subset(self.seen)
        self.hoi_prior = hoi_prior
        self.clip_dims, self.enhance_top_k = clip_dims, enhance_top_k
        super().__init__(
            num_obj_classes,
            num_verbs,
            embed_dims,
            loss_verb=loss_hoi or dict(type="VerbFocalLoss", alpha=0.5, min_prob=1e-4, loss_weight=2.0),
            train_cfg={"matcher": dict(type="PairMatcher", costs=self.COSTS), **(train_cfg or {})},
            **kwargs,
        )
        if hoi_prior is not None:
            for classifier in (self.hoi_cls, *([self.all_hoi_cls] if self.is_zero_shot else [])):
                if classifier.bias is not None:
                    nn.init.constant_(classifier.bias, bias_init_with_prob(hoi_prior) / self.hoi_scale.exp().item())
        if not train_text:
            self.hoi_cls.requires_grad_(False)
            self.obj_cls.requires_grad_(False)
        self.loss_image = MODELS.build(loss_image) if loss_image else None

    def _init_layers(self, embed_dims: int) -> None:
        self.sub_box = MLP(embed_dims, embed_dims, 4, 3)
        self.obj_box = MLP(embed_dims, embed_dims, 4, 3)
        self.obj_proj = self._projection(embed_dims)
        self.obj_cls = TextClassifier(self.clip_dims, self.num_obj_classes + 1)
        self.obj_scale, self.hoi_scale = initial_scale(), initial_scale()
        self.hoi_cls = TextClassifier(self.clip_dims, len(self.seen))
        if self.is_zero_shot:
            # with a prior all classes share one bias, which belongs to the scores in evaluation, too
            bias = self.eval_bias or self.hoi_prior is not None
            self.all_hoi_cls = TextClassifier(self.clip_dims, len(self.hois), bias)
            self.all_hoi_cls.requires_grad_(False)
        self._init_interaction_layers(embed_dims)

    def _init_interaction_layers(self, embed_dims: int) -> None:
        self.hoi_proj = self._projection(embed_dims)

    def _projection(self, embed_dims: int) -> nn.Module:
        return nn.Sequential(nn.Linear(embed_dims, self.clip_dims), nn.LayerNorm(self.clip_dims))

    @property
    def is_zero_shot(self) -> bool:
        """Whether some HOI classes are not trained."""
        return len(self.seen) < len(self.hois)

    def init_weights(self) -> None:
        """As in mmengine; then the classifiers' rows become the text embeddings of the prompts.

        Raises:
            FileNotFoundError: no CLIP weights.
            PromptError: a class has no phrase.
            ConfigError: the prompts are of another number of object classes.
        """
        super().init_weights()
        if self.clip is None:
            return
        phrases, names = load_phrases(self.prompts), self.hois.object_names
        hois, objects = text_classifiers(
            self.clip, [phrases.hoi_prompts(self.hois.names()), phrases.object_prompts(names)]
        )
        if len(objects) != self.num_obj_classes + 1:
            raise ConfigError(
                f"{self.prompts} has prompts for {len(objects) - 1} object classes and for nothing, the head has "
                f"{self.num_obj_classes} classes. Set model.bbox_head.num_obj_classes, or give other prompts."
            )
        rows = {self.hoi_cls: hois[self.seen], self.obj_cls: objects}
        for classifier, weight in {**rows, **({self.all_hoi_cls: hois} if self.is_zero_shot else {})}.items():
            classifier.weight.data.copy_(weight)

    def forward(self, decoded: InteractionStates) -> dict[str, Tensor]:
        """Raw predictions of every layer.

        Args:
            decoded (InteractionStates): of the detector's ``decode``.

        Returns:
            dict[str, Tensor]: as in :class:`PairHead` with ``hoi_logits`` (L, B, N, H): the trained classes in training
            mode, else all. ``hoi_features`` (L, B, N, e), of any length, and with image embeddings ``image_embeds``
            (L, B, e), the same in all layers.
        """
        features = self.hoi_features(decoded.interactions)
        preds = dict(
            obj_logits=self.obj_scale.exp() * self.obj_cls(self.obj_proj(decoded.objects)),
            hoi_logits=self.hoi_logits(features),
            sub_boxes=self.sub_box(decoded.subjects).float().sigmoid(),
            obj_boxes=self.obj_box(decoded.objects).float().sigmoid(),
            hoi_features=features,
        )
        if decoded.image_embeds is not None:
            preds["image_embeds"] = decoded.image_embeds.expand(len(features), -1, -1)
        return preds

    def hoi_features(self, interactions: Tensor) -> Tensor:
        """Interaction states to CLIP's joint space: (L, B, N, D) -> (L, B, N, e) float32."""
        return self.hoi_proj(interactions).float()

    def hoi_logits(self, features: Tensor) -> Tensor:
        """(L, B, N, e) -> (L, B, N, H)."""
        return self.hoi_scale.exp() * self.scored_cls(features)

    @property
    def scored_cls(self) -> TextClassifier:
        """The classifier of the classes that are scored in the current mode."""
        return self.hoi_cls if self.training or not self.is_zero_shot else self.all_hoi_cls

    def ask(self, hois: HOIClasses, rows: Tensor, object_rows: Tensor) -> None:
        """Score other HOI classes from now on, in evaluation mode; see :func:`~.open_vocabulary.ask_for`.

        Args:
            hois (HOIClasses): classes whose verbs and objects start with the head's own.
            rows (Tensor): (H, e) their text embeddings.
            object_rows (Tensor): (O, e) those of the object classes that the head does not have.
        """
        own = len(self.hois.object_names)
        if self.num_obj_classes > own:  # a class for absent objects follows the others, as label C
            self.obj_cls = self.obj_cls.extended(object_rows, own)
        else:
            self.obj_cls = self.obj_cls.extended(object_rows, self.num_obj_classes)
        self.num_obj_classes += len(object_rows)
        self.hoi_cls = self.scored_cls.replaced(rows)
        self.hois = self.trained_hois = hois
        self.seen = list(range(len(hois)))
        self.requires_grad_(False)

    def targets(self, samples: SampleList) -> HOITargets:
        """Labelled pairs, with labels of the trained HOI classes."""
        return HOITargets.of(super().targets(samples), self.trained_hois)

    def terms(
        self, preds: dict[str, Tensor], targets: PairTargets, assigned: Assignment, background: bool
    ) -> dict[str, Tensor]:
        """Loss terms of all layers, (L,) each; ``loss_image`` of the learnable queries only."""
        terms = super().terms(preds, targets, assigned, background)
        if self.loss_image is not None and background:
            terms["loss_image"] = self.loss_image(preds["hoi_features"], preds["image_embeds"])
        return terms

    def decode(self, preds: dict[str, Tensor], size: tuple[int, int]) -> InstanceData:
        """Pairs of one image, see :func:`decode_hois`."""
        added = None
        if self.enhance_top_k:
            added = enhancement(preds["image_embeds"][None], self.scored_cls.weight, self.enhance_top_k)[0]
        return decode_hois(preds, size, self.hois, added)
