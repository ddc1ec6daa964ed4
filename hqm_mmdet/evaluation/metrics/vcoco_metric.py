"""V-COCO's AP_role and AP_agent as an mmengine metric."""

import logging
import os.path as osp
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import ClassVar

import numpy as np
from mmengine.logging import print_log

from hqm_mmdet.datasets.annotations import find_annotations
from hqm_mmdet.errors import ConfigError
from hqm_mmdet.registry import METRICS

from ..errors import EvaluationError
from ..functional import (
    AgentTable,
    JudgedCandidates,
    PersonTable,
    RankedVCOCO,
    VCOCORoles,
    WholePairNMS,
    agents_from_pairs,
    check_pairs,
    judge_roles,
    persons_from_hois,
    rank_vcoco,
    stack_tables,
    verb_mask_by_object,
)
from ..vcoco_files import HOW_TO_GET, VCOCOGroundTruth, read_vcoco
from .base import HOIMetric, text_table
from .records import PAIR_FIELDS, Record, annotated_hois, as_dict, get_field, image_name, to_numpy
from .vocabulary import require_metainfo

PROTOCOLS = ("official", "official_masked")


@dataclass(frozen=True, eq=False)
class VCOCORecord(Record):
    """One image.

    Args:
        agents (AgentTable): detections.
        persons (PersonTable, optional): ground truth; None where it comes from the official files.
    """

    agents: AgentTable
    persons: PersonTable | None = None


@METRICS.register_module()
class VCOCOMetric(HOIMetric):
    """AP_role and AP_agent of V-COCO, computed as the official ``vsrl_eval.py`` does (``docs/evaluation.md``).

    Keys (fractions): ``vcoco/role_s1``, ``vcoco/role_s2`` (scenario 1 and 2 over 24 roles, as published),
    ``vcoco/agent``, ``vcoco/role_s1_25`` and ``vcoco/role_s2_25`` (with ``point_instr``, as the official script
    prints). The log has every action. Classes without positive are left out of means (the official script stops there).

    Ground truth comes from the official files if ``ann_file`` is given: then all images of the split count, also those
    without a result. Else it is derived from the samples' ``gt_hois``. HOIA-style files do not tell which persons
    V-COCO labelled without any action: all persons that are no subject count as not labelled. Boxes become
    x2 - 1, y2 - 1 as officially, and are clipped if the sample has ``ori_shape``.

    The metainfo must hold ``classes`` and ``verbs``; the object label ``len(classes)`` means "no object".

    Args:
        ann_file (str, optional): official ``vcoco_test.json`` (or another split).
        coco_file (str | Sequence[str], optional): COCO instances with its images; needed with ``ann_file``.
        protocol (str): 'official' takes scores as they are; 'official_masked' sets those of verb-object combinations
            that ``valid_pairs`` forbids to 0 first, as QPIC's and CDN's exporters do. Default: 'official'.
        pair_nms (dict, optional): arguments of :class:`~.functional.WholePairNMS` (``dict()`` is CDN's setting), which
            then drops repeated pairs. Default: None, nothing is dropped.
        **kwargs: ``bootstrap`` of :class:`~.base.HOIMetric` and its further arguments.

    Raises:
        FileNotFoundError: A file does not exist.
        ConfigError: unknown protocol, or one file without the other.
    """

    default_prefix = "vcoco"
    FRACTIONS = True

    def __init__(
        self,
        ann_file: str | None = None,
        coco_file: str | Sequence[str] | None = None,
        protocol: str = "official",
        pair_nms: dict[str, float] | None = None,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if protocol not in PROTOCOLS:
            raise ConfigError(f"unknown protocol {protocol!r}; choose one of {PROTOCOLS}.")
        if (ann_file is None) != (coco_file is None):
            raise ConfigError("VCOCOMetric needs both ann_file (official vcoco_*.json) and coco_file, or neither.")
        self.ann_file = ann_file
        self.coco_files = [coco_file] if isinstance(coco_file, str) else list(coco_file or ())
        self.protocol = protocol
        self.pair_nms = None if pair_nms is None else WholePairNMS(**pair_nms)
        # Now, and not after hours of testing.
        for file in [ann_file, *self.coco_files] if ann_file else ():
            if find_annotations(file) is None:
                raise FileNotFoundError(f"{osp.abspath(file)} does not exist. {HOW_TO_GET}")
        # Official files list all images, so that those without a result count.
        self.knows_all_images = ann_file is not None
        self._truth: VCOCOGroundTruth | None = None

    @property
    def roles(self) -> VCOCORoles:
        """Actions and roles of the data set."""
        return _roles_of(tuple(require_metainfo(self.dataset_meta, ("classes", "verbs"))["verbs"]))

    def make_record(self, sample: Mapping) -> VCOCORecord:
        """Keep all scores of an image, about 20 KB for 100 pairs.

        Args:
            sample (Mapping): ``img_id``, ``img_path``; ``pred_pairs`` as for :func:`~.records.make_record`, or
                ``pred_agents``, an :class:`AgentTable`; without official files ``gt_hois`` and, for clipping,
                ``ori_shape``.

        Raises:
            EvaluationError: A field is missing, or an array is unfit (the message names the image).
            ConfigError: ``pred_agents`` with the masked protocol or pair NMS.
        """
        img_id, img_path = image_name(sample)
        agents = sample.get("pred_agents")
        if agents is None:
            agents = self._agents(sample, img_path)
        elif self.protocol == "official_masked" or self.pair_nms is not None:
            raise ConfigError(
                "detections in V-COCO's own format have no object labels; neither can they be masked, nor repeated "
                "pairs be told (pair NMS)"
            )
        persons = None
        if self.ann_file is None:
            subject_label = self.dataset_meta.get("subject_label", 0)
            truth = annotated_hois(sample, img_path)
            persons = persons_from_hois(*truth, self.roles, sample.get("ori_shape"), subject_label, img_path)
        return VCOCORecord(img_id, img_path, agents, persons)

    def rank(self, records: list[VCOCORecord]) -> "VCOCORanking":
        """Match and rank all detections; see :func:`~.functional.rank_vcoco`.

        Raises:
            EvaluationError: no image was evaluated, or one is not part of the split.
        """
        if not records:
            raise EvaluationError("VCOCOMetric: no image was evaluated.")
        if self.ann_file is None:
            persons, places, num_images = stack_tables([r.persons for r in records]), range(len(records)), len(records)
        else:
            truth = self.ground_truth()
            persons, num_images = truth.persons, len(truth.image_ids)
            places = [truth.position(record.img_path) for record in records]
            self._warn_of_missing(set(places), truth)
        # in ascending order of the images: the official tie rule depends on it
        tables = [
            replace(r.agents, image=np.full(len(r.agents.image), i)) for i, r in zip(places, records, strict=True)
        ]
        agents = stack_tables([tables[i] for i in np.argsort(list(places), kind="stable")], keep_image=True)
        name = self.protocol + ("" if self.pair_nms is None else ", pair NMS")
        return VCOCORanking(num_images, agents, persons, rank_vcoco(agents, persons, self.roles), name)

    def ground_truth(self) -> VCOCOGroundTruth:
        """The official files, read once."""
        if self._truth is None:
            self._truth = read_vcoco(self.ann_file, self.coco_files, self.roles)
        return self._truth

    def _agents(self, sample: Mapping, image: str) -> AgentTable:
        pairs = as_dict(get_field(sample, "pred_pairs", image))
        sub, obj, labels, scores = (to_numpy(get_field(pairs, key, image)) for key in PAIR_FIELDS)
        roles, meta = self.roles, self.dataset_meta
        labels, scores = labels.astype(np.int64).reshape(-1), np.asarray(scores, np.float32)
        # An empty list has the shape (0,).
        scores = scores if len(labels) else np.zeros((0, len(roles.verbs)), np.float32)
        partial = sample.get("partial_scores", False)
        check_pairs(sub, obj, labels, scores, (len(meta["classes"]), len(roles.verbs)), partial, image)
        if self.protocol == "official_masked":
            valid_pairs = require_metainfo(meta, ("valid_pairs",))["valid_pairs"]
            scores = scores * verb_mask_by_object(valid_pairs, len(meta["classes"]))[labels]
        if self.pair_nms is not None:
            kept = self.pair_nms(sub, obj, labels, scores)
            sub, obj, labels, scores = sub[kept], obj[kept], labels[kept], scores[kept]
        return agents_from_pairs(sub, obj, labels != len(meta["classes"]), scores, roles)

    def _warn_of_missing(self, places: set[int], truth: VCOCOGroundTruth) -> None:
        missing = [name for i, name in enumerate(truth.file_names) if i not in places]
        if missing:
            message = (
                f"{len(missing)} of the {len(truth.image_ids)} images of {self.ann_file} have no result; their ground "
                f"truth counts as not found. First: {missing[0]}."
            )
            print_log(message, logger="current", level=logging.WARNING)


@dataclass(frozen=True, eq=False)
class VCOCORanking:
    """Ranked detections, see :class:`~.base.Ranking`."""

    headline: ClassVar[str] = "role_s1"
    num_images: int
    agents: AgentTable
    persons: PersonTable
    ranked: RankedVCOCO
    name: str

    def judged(self) -> JudgedCandidates:
        """Candidates of AP_role, scenario 1; made when asked for, because there are many."""
        return judge_roles(self.agents, self.persons, self.ranked.roles)

    def other_aps(self) -> dict[str, np.ndarray]:
        """``scenario 2``, and ``agent`` of the role's action."""
        tables = self.ranked.tables()
        return {"scenario 2": tables["role_s2"], "agent": tables["agent"][self.ranked.roles.role_actions]}

    def class_sets(self) -> dict[str, np.ndarray]:
        """None."""
        return {}

    def means(self, image_weights: np.ndarray | None = None) -> dict[str, float]:
        """Mean APs."""
        return self.ranked.means(self.ranked.tables(image_weights))

    def table(self) -> str:
        """Actions and roles as rows."""
        values, roles = self.ranked.tables(), self.ranked.roles
        rows = {
            role: (values["role_s1"][i], values["role_s2"][i], values["agent"][roles.role_actions[i]])
            for i, role in enumerate(roles.roles)
        }
        alone = [a for a in range(len(roles.actions)) if a not in roles.role_actions]
        rows |= {roles.actions[a]: (np.nan, np.nan, values["agent"][a]) for a in alone}
        means = self.ranked.means(values)
        rows["mean (24 roles)"] = (means["role_s1"], means["role_s2"], means["agent"])
        rows["mean (25 roles)"] = (means["role_s1_25"], means["role_s2_25"], means["agent"])
        title = f"V-COCO, {self.name}, {self.num_images} images"
        return text_table(title, ("role_s1", "role_s2", "agent"), rows)


_roles_of = cache(VCOCORoles)
