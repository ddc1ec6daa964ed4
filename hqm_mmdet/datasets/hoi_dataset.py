"""The reader of all HOI data sets: HOIA-style annotations as an mmdet data set."""

import os.path as osp
from collections.abc import Sequence

import numpy as np

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.registry import DATASETS
from hqm_mmdet.structures import HOIVocabulary
from hqm_mmdet.utils.inside import OUTSIDE, path_inside

from .annotations import ImageAnnotations, find_annotations, merge_pairs, no_garbage_collection, read_annotations
from .class_tables import count_classes, count_triplets, load_names, load_rare_triplets, load_valid_pairs
from .entry_parser import EntryParser
from .problems import AnnotationError, ProblemReport
from .sampling_dataset import SamplingDataset
from .soundness import count_subjects, refuse_lost_hois
from .stored_detections import attach_detections, attach_poses
from .subsets import draw_fraction


@DATASETS.register_module()
class HOIDataset(SamplingDataset):
    """Reads HOIA-style annotations (format: :mod:`~hqm_mmdet.datasets.annotations`).

    A data set differs from others by its metainfo and file names, so a subclass is a table; your own data can also be
    described with the argument ``metainfo``: ``classes`` and ``verbs`` (names), ``category_ids`` and ``verb_ids`` (ids
    in the file, in the same order; default 1, 2, 3 ...), ``subject_label`` (default 0); or with ``names_file``, a JSON
    file of the same keys.

    Each item of ``data_list`` has mmdet's ``img_path``, ``img_id``, ``instances`` (``bbox`` x1, y1, x2, y2 in pixels of
    the image file, ``bbox_label``, ``ignore_flag``), and ``pairs``: (subject index, object index or -1, verbs), where
    several HOIs of the same two boxes are one pair. ``img_id`` is the position in the annotation file: unique whatever
    the file calls its images, and not changed by filters. In test mode ``gt_hois`` holds everything as annotated, see
    :meth:`~.annotations.ImageAnnotations.as_truth`.

    Training follows the official filters (QPIC, ``datasets/hico.py``): an image with a box index out of range is left
    out; the first ``max_boxes`` boxes of an image are kept; boxes without area are dropped (clipping comes later, with
    the image's size, in :class:`~.transforms.LoadHOIAnnotations`), and pairs with them. One warning counts what was
    left out. ``fraction`` trains on a part of the images.

    ``class_counts`` holds the number of HOI entries of each object class and verb, as annotated in the images trained
    on (``max_boxes`` aside), see :func:`~.class_tables.count_classes`.

    ``metainfo`` gains ``valid_pairs`` and ``rare_triplets`` (:class:`~hqm_mmdet.structures.HOIVocabulary`) when the
    annotations are loaded.

    Args:
        ann_file (str): ``.json`` or ``.json.gz``.
        names_file (str, optional): JSON file with ``classes``, ``verbs`` and what else describes them (see above).
        corre_file (str, optional): ``.npy`` table verbs x objects. Default: the subclass's ``CORRE_FILE`` beside
            ``ann_file`` if it exists, else its ``VALID_PAIRS``. Without any, what occurs in training is valid.
        rare_file (str, optional): JSON list of [object category id, verb id]. Without one, triplets with fewer than 10
            HOI entries in the training annotations are rare, unless the subclass has no rare set (``HAS_RARE_SET``).
        vocabulary_ann_file (str, optional): training annotations, for what is not given by files. Default: the
            subclass's ``TRAIN_ANN_FILE`` beside ``ann_file`` (also when training on a part of it); where there is none,
            training counts in ``ann_file``.
        max_boxes (int, optional): see above; None keeps all.
        fraction (float): share of the training images, in (0, 1]; see :func:`~.subsets.draw_fraction`. The class tables
            stay those of the whole file.
        fraction_seed (int): which images the fraction consists of.
        upright (bool, optional): the frame of the boxes: True, that of the image as a viewer shows it and prediction
            reads it; False, that of the stored pixels. They differ for photographs of phones (EXIF orientation).
            Default: the subclass's ``UPRIGHT``, True where it says nothing, as annotation tools show images.
        strict (bool): makes the first defect an error (not the limit ``max_boxes``, which is a setting).
        detections (str, optional): file with a detector's boxes, for two-stage models; see
            :mod:`~hqm_mmdet.datasets.detection_files`.
        detector_classes (Sequence[str], optional): names of the detector's labels, where ``detections`` is a pickle and
            they are not the data set's.
        poses (str, optional): file with persons' poses, see :mod:`~hqm_mmdet.datasets.pose_files`.
        filter_cfg (dict, optional): ``filter_empty_gt=True`` drops training images without pairs (QPIC keeps them).
        **kwargs: as in :class:`~.sampling_dataset.SamplingDataset`; ``data_prefix=dict(img=...)`` is the image folder.

    Raises:
        FileNotFoundError: annotation file, image folder, or training annotations missing.
        AnnotationError: see :class:`~.entry_parser.EntryParser`.
    """

    CORRE_FILE: str | None = None
    VALID_PAIRS: np.ndarray | None = None
    HAS_RARE_SET = True
    TRAIN_ANN_FILE: str | None = None
    UPRIGHT = True
    HOW_TO_GET = "Your own data: docs/own_data.md; `hqm-mmdet train --data-root FOLDER` names another folder."

    def __init__(
        self,
        *args,
        names_file: str | None = None,
        corre_file: str | None = None,
        rare_file: str | None = None,
        vocabulary_ann_file: str | None = None,
        max_boxes: int | None = 100,
        fraction: float = 1.0,
        fraction_seed: int = 0,
        upright: bool | None = None,
        strict: bool = False,
        detections: str | None = None,
        detector_classes: Sequence[str] | None = None,
        poses: str | None = None,
        **kwargs,
    ):
        self.names_file = names_file
        self.corre_file = corre_file
        self.rare_file = rare_file
        self.vocabulary_ann_file = vocabulary_ann_file
        self.max_boxes = max_boxes
        if fraction != 1 and kwargs.get("test_mode", False):
            raise ConfigError(
                f"fraction={fraction} is for training: metrics of a part of the test set say little. Leave it out."
            )
        self.fraction, self.fraction_seed = fraction, fraction_seed
        self.upright = self.UPRIGHT if upright is None else upright
        self.strict = strict
        self.detections, self.detector_classes, self.poses = detections, detector_classes, poses
        super().__init__(*args, **kwargs)

    # ---- loading annotations

    @no_garbage_collection()
    def load_data_list(self) -> list[dict]:
        """Read ``ann_file``; also fills the class tables in ``metainfo``."""
        report = ProblemReport(self.ann_file, self.strict)
        parser = self.make_parser(report, training=not self.test_mode)
        images = parser.read_all(self.read_entries())
        # Of all images: class tables must not depend on filters, nor on the fraction that is trained on.
        self._metainfo.update(self.vocabulary(images).as_metainfo())
        if len(self.pipeline.transforms):  # class tables are also read without images
            self._require_image_folder()
        annotated = [(i, image) for i, image in enumerate(images) if image is not None]
        usable = [(i, parser.usable(i, image)) for i, image in annotated]
        if not self.test_mode:
            count_subjects(annotated, report, self._metainfo)
            refuse_lost_hois(self.ann_file, images, [image for _, image in usable], report)
        report.log()
        select = list if self.test_mode else self._select
        shape = (len(self._metainfo["verbs"]), len(self._metainfo["classes"]))
        # As annotated: before boxes without area and those beyond max_boxes are dropped.
        self.class_counts = count_classes((image for _, image in select(annotated)), *shape)
        items = [self._data_info(i, image) for i, image in select(usable)]
        if self.detections is not None:
            attach_detections(items, self._under_root(self.detections), self._metainfo, self.detector_classes)
        if self.poses is not None:
            attach_poses(items, self._under_root(self.poses))
        return items

    def read_entries(self, path: str | None = None, hint: str = "") -> list[dict]:
        """Entries of an annotation file as it stands, HOIA-style.

        Args:
            path (str, optional): the file; default ``ann_file``.
            hint (str): what it is needed for, for the message if it is missing.
        """
        return self.relevant(read_annotations(path or self.ann_file, hint + self.HOW_TO_GET))

    def relevant(self, entries: list[dict]) -> list[dict]:
        """What of a file's entries belongs to the data set: everything, unless a subclass leaves HOIs out."""
        return entries

    def _select(self, images: list[tuple[int, ImageAnnotations]]) -> list[tuple[int, ImageAnnotations]]:
        """Images to train on, of all usable ones; each with its position in the file."""
        return draw_fraction(images, self.fraction, self.fraction_seed)

    def filter_data(self) -> list[dict]:
        """Apply ``filter_cfg`` to training data.

        Raises:
            AnnotationError: no image is left.
        """
        kept = self.data_list
        if not self.test_mode and (self.filter_cfg or {}).get("filter_empty_gt", False):
            kept = [info for info in kept if info["pairs"]]
        if not kept:
            raise AnnotationError(
                f"{self.ann_file}: no image is left of {len(self.data_list)} usable ones; `hqm-mmdet check-data` lists "
                "what is wrong with the file. " + self.HOW_TO_GET
            )
        return kept

    def _complete_class_tables(self) -> None:
        info = self._metainfo
        if self.names_file is not None:
            info.update(load_names(self._under_root(self.names_file), self.HOW_TO_GET))
        for names, ids in (("classes", "category_ids"), ("verbs", "verb_ids")):
            if not info.get(names):
                kind = type(self).__name__
                raise AnnotationError(f"{kind} needs names_file or metainfo with '{names}', a list of names.")
            info[names] = tuple(info[names])
            info[ids] = tuple(info.get(ids, range(1, len(info[names]) + 1)))
            if len(info[ids]) != len(info[names]):
                raise AnnotationError(f"metainfo: {len(info[names])} {names}, but {len(info[ids])} {ids}.")

    @property
    def image_folder(self) -> str:
        """Where ``file_name`` of the annotations is looked for."""
        return self.data_prefix.get("img") or self.data_root or "."

    def require_files(self) -> None:
        """Find out, before anything is read, that names, annotations or images are missing.

        Raises:
            FileNotFoundError: so it is; the message says how to get them.
        """
        self._beside(self.names_file)
        if "://" not in self.ann_file and find_annotations(self.ann_file) is None:
            path = osp.abspath(self.ann_file)
            raise FileNotFoundError(f"Annotation file {path} (or .json.gz) does not exist. {self.HOW_TO_GET}")
        self._require_image_folder()

    def _require_image_folder(self) -> None:
        folder = self.image_folder
        # A remote folder can't be looked at.
        if "://" not in folder and not osp.isdir(folder):
            raise FileNotFoundError(f"Image folder {osp.abspath(folder)} does not exist. {self.HOW_TO_GET}")

    def make_parser(self, report: ProblemReport, training: bool) -> EntryParser:
        """Reader of entries, with the ids of this data set.

        Raises:
            AnnotationError: the metainfo does not describe classes and verbs.
        """
        self._complete_class_tables()
        info = self._metainfo
        return EntryParser(info["category_ids"], info["verb_ids"], report, training, self.max_boxes)

    def _data_info(self, img_id: int, image: ImageAnnotations) -> dict:
        boxes = zip(image.boxes, image.labels, strict=True)
        info = dict(
            img_id=img_id,
            img_path=self._image_path(img_id, image.file_name),
            instances=[dict(bbox=box, bbox_label=label, ignore_flag=0) for box, label in boxes],
            pairs=merge_pairs(image.hois),
        )
        return dict(info, gt_hois=image.as_truth()) if self.test_mode else info

    def _image_path(self, entry: int, name: str) -> str:
        if "://" in self.image_folder:  # of a file server, which knows its own limits
            return osp.join(self.image_folder, name)
        if (path := path_inside(self.image_folder, name)) is None:
            remedy = f"Name files below {self.image_folder} only, or set data_prefix."
            raise ProblemReport(self.ann_file).error(entry, name, OUTSIDE, remedy)
        return str(path)

    # ---- class tables

    def given_valid_pairs(self) -> np.ndarray | None:
        """(V, C) bool, which verb goes with which object, of the file or the package; None where neither says."""
        path, info = self._beside(self.corre_file, self.CORRE_FILE), self._metainfo
        return self.VALID_PAIRS if path is None else load_valid_pairs(path, len(info["verbs"]), len(info["classes"]))

    def vocabulary(self, images: list[ImageAnnotations | None]) -> HOIVocabulary:
        """Class tables.

        Args:
            images (list[ImageAnnotations | None]): those of ``ann_file``, as :meth:`make_parser`'s parser reads them.

        Raises:
            FileNotFoundError, AnnotationError: see the class.
        """
        info = self._metainfo
        shape = (len(info["verbs"]), len(info["classes"]))
        rare_file = self._beside(self.rare_file)
        valid_pairs = self.given_valid_pairs()
        rare = None if self.HAS_RARE_SET else frozenset()
        if rare_file is not None:
            rare = load_rare_triplets(rare_file, info["category_ids"], info["verb_ids"])
        if valid_pairs is None or rare is None:
            counts = count_triplets(self._training_images(images), *shape)
            # What only the test split shows is rare, too: training never saw it.
            evaluated = count_triplets(images, *shape) > 0 if self.test_mode else None
            valid_pairs, counted = HOIVocabulary.derive_tables(counts, valid_pairs, evaluated)
            rare = counted if rare is None else rare
        return HOIVocabulary(info["classes"], info["verbs"], valid_pairs, rare, info.get("subject_label", 0))

    def training_file(self) -> str | None:
        """Training annotations: as given, or the data set's own beside ``ann_file``, which may be absent."""
        if self.vocabulary_ann_file or not self.TRAIN_ANN_FILE:
            return self._under_root(self.vocabulary_ann_file)
        return osp.join(osp.dirname(self.ann_file), self.TRAIN_ANN_FILE)

    def _training_images(self, images: list[ImageAnnotations | None]) -> list[ImageAnnotations | None]:
        """What the class tables are counted in: these images, or those of the training annotations."""
        path = self.training_file()
        # The default file is optional in training, where ann_file can be counted instead.
        if not self.vocabulary_ann_file and not self.test_mode:
            path = path if path and find_annotations(path) else None
        if path is None and self.test_mode:
            raise AnnotationError(
                "The verb-object table and the rare set are counted in the training annotations: set "
                "dataset.vocabulary_ann_file (hqm-mmdet eval: --train-ann-file), or give dataset.corre_file and "
                "dataset.rare_file."
            )
        # The same file is not parsed a second time.
        if path is None or find_annotations(path) == find_annotations(self.ann_file):
            return images
        hint = "The verb-object table and the rare set are counted in it; or set dataset.vocabulary_ann_file. "
        parser = self.make_parser(ProblemReport(path), training=True)  # defects are reported where it is trained on
        return parser.read_all(self.read_entries(path, hint))

    def _under_root(self, path: str | None) -> str | None:
        return osp.join(self.data_root, path) if path and self.data_root else path

    def _beside(self, given: str | None, default: str | None = None) -> str | None:
        """A given file, which must exist, or the default one beside the annotations, which may."""
        if given is not None:
            if not osp.isfile(path := self._under_root(given)):
                raise FileNotFoundError(f"{osp.abspath(path)} does not exist. {self.HOW_TO_GET}")
            return path
        path = osp.join(osp.dirname(self.ann_file), default or "")
        return path if default and osp.isfile(path) else None

    # ---- samples

    def get_data_info(self, idx: int) -> dict:
        """The item and what transforms need besides: ``num_classes``, ``num_verbs``, ``strict``, ``upright``."""
        info = super().get_data_info(idx)
        sizes = dict(num_classes=len(self._metainfo["classes"]), num_verbs=len(self._metainfo["verbs"]))
        return dict(info, **sizes, strict=self.strict, upright=self.upright)
