"""Prediction on one's own images."""

import copy
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import count
from pathlib import Path

import numpy as np
import torch
from mmdet.apis import DetInferencer
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.device import get_device
from mmengine.logging import print_log
from rich.progress import track
from torch import nn

from hqm_mmdet.apis.build import config_of_file, init_model
from hqm_mmdet.apis.class_names import class_names
from hqm_mmdet.apis.pipeline import inference_pipeline
from hqm_mmdet.checkpoints.files import Checkpoint
from hqm_mmdet.configuring import config_errors
from hqm_mmdet.datasets.transforms import BadImageError
from hqm_mmdet.errors import ConfigError
from hqm_mmdet.evaluation.writing import shown_entry
from hqm_mmdet.models.heads import HOIClassHead
from hqm_mmdet.registry import INFERENCERS, SCOPE, VISUALIZERS
from hqm_mmdet.safe_loading import CheckpointError
from hqm_mmdet.structures import HOIDataSample
from hqm_mmdet.visualization import ShownPair, TripletSelection, merge_repeats

from .ahead import one_ahead
from .attention import AttentionMaps, attention_maps
from .interactions import asked_model, interactions_with, look_for
from .outputs import OutputFolder
from .prediction import BadInput, Prediction
from .sources import ImageInput, ImageSource, find_images

CHECKPOINT_ENDINGS = (".pth", ".pt", ".ckpt", ".safetensors")
_instances = count()


@INFERENCERS.register_module()
class HOIInferencer(DetInferencer):
    """Finds human-object interactions in images (:func:`~hqm_mmdet.apis.predict_video` does in videos).

    .. code:: python

        inferencer = HOIInferencer("published.pth")  # or ("configs/qpic_toy.py", "checkpoint.pth")
        inferencer("photos/", out_dir="out")  # pictures and predictions.json
        for prediction in inferencer.stream("photos/*.jpg"):  # any number of images, constant memory
            print(prediction.name, inferencer.show(prediction.sample))

    Images are read as a viewer shows them (:func:`~.sources.read_image`: EXIF orientation applied, as for own data,
    while the published data sets ignore it), and are then processed by the config's test pipeline.

    Args:
        model (str | Path | Config | dict, optional): a config or its file, or a checkpoint that holds its config
            (training and publishing write it). Default: the config in ``weights``.
        weights (str | Path | Checkpoint, optional): the checkpoint, as a file or already read (:func:`~hqm_mmdet.apis.
            conversion.read_complete` reads those of other code bases). Without one the weights are random, with a
            warning.
        device (str, optional): where it computes. Default: a GPU if there is one.
        show_progress (bool): whether :meth:`__call__` draws a progress bar. Default: True.
        merge_iou (float, optional): predicted pairs that overlap so much become one, see
            :func:`~hqm_mmdet.visualization.merge_repeats`. None: one pair per query, as the model gives them. Default:
            0.7.
        interactions (Sequence[str]): look for these instead of the data set's classes, e.g. "a person repairing a
            bicycle"; for models that score HOI classes by text. Default: none.
        new_verbs (Sequence[str]): verb phrases, e.g. "repairing", to look for with every object class, likewise.
            Default: none.
        clip (str | Path, optional): CLIP weights for both. Default: those that the config names.

    Raises:
        FileNotFoundError: no such config or checkpoint.
        CheckpointError: the checkpoint is damaged or does not fit the config.
        ConfigError: neither model nor weights, a config without test pipeline, or ``interactions`` of a model that does
            not score texts.
        PromptError: an interaction that can't be understood or encoded.
    """

    def __init__(
        self,
        model: str | Path | Config | dict | None = None,
        weights: str | Path | Checkpoint | None = None,
        device: str | None = None,
        show_progress: bool = True,
        merge_iou: float | None = 0.7,
        interactions: Sequence[str] = (),
        new_verbs: Sequence[str] = (),
        clip: str | Path | None = None,
    ):
        # mmdet's inferencer takes the config first; here a checkpoint may stand in its place.
        if weights is None and isinstance(model, str | Path) and str(model).endswith(CHECKPOINT_ENDINGS):
            model, weights = None, model
        self.merge_iou = merge_iou
        self.interactions, self.new_verbs, self.clip = tuple(interactions), tuple(new_verbs), clip
        checkpoint = Checkpoint.read(weights) if isinstance(weights, str | Path) else weights
        self._source = None if model is not None or checkpoint is None else f"in {checkpoint.name}"
        super().__init__(
            _config_of(model, checkpoint), checkpoint, device or get_device(), SCOPE, show_progress=show_progress
        )

    def _init_model(self, cfg: Config, weights: Checkpoint | None, device: str = "cpu") -> nn.Module:
        model = init_model(cfg, weights, device)
        if weights is None:
            print_log("No checkpoint is given: the model is random.", "current", logging.WARNING)
        with config_errors(cfg, self._source):
            model.dataset_meta = class_names(model, cfg)
        if (made_for := model.dataset_meta.get("made_for")) is not None:
            name = "The model" if weights is None else weights.name
            message = f"{name} was made for {made_for}; what it finds in other images means nothing."
            print_log(message, "current", logging.WARNING)
        if self.interactions or self.new_verbs:
            texts = [*self.interactions, *interactions_with(model, self.new_verbs)]
            model.dataset_meta = look_for(model, texts, self.clip)
        return model

    @property
    def can_be_asked(self) -> bool:
        """Whether :meth:`asking` works: the model scores texts, and the CLIP weights for new ones are there."""
        clip = self.clip or getattr(self.model.bbox_head, "clip", None)
        return isinstance(self.model.bbox_head, HOIClassHead) and clip is not None and Path(clip).exists()

    def asking(self, interactions: Sequence[str]) -> "HOIInferencer":
        """An inferencer for these interactions that shares all but the head with this one, which stays as it is.

        Args:
            interactions (Sequence[str]): e.g. "a person repairing a bicycle".

        Raises:
            ConfigError: the model does not score texts.
            FileNotFoundError: no CLIP weights.
            PromptError: an interaction that can't be understood or encoded.
        """
        other = copy.copy(self)
        other.model = asked_model(self.model, interactions, self.clip)
        other.interactions = tuple(interactions)
        # No new one: visualizers are registered for good, and a demo is asked again and again.
        other.visualizer = copy.copy(self.visualizer)
        other.visualizer.dataset_meta = other.model.dataset_meta
        return other

    def _init_pipeline(self, cfg: Config) -> Compose:
        with config_errors(cfg, self._source):
            return inference_pipeline(cfg)

    def _init_visualizer(self, cfg: Config):
        """The config's visualizer without backends: pictures go to files or to the caller."""
        # Repeats are merged before, in `stream`, so that pictures and JSON show the same pairs.
        settings = {"type": "HOIVisualizer", **cfg.get("visualizer", {}), "vis_backends": None, "merge_iou": None}
        # Visualizers are registered by name for the whole process; two inferencers need two names.
        with config_errors(cfg, self._source):
            visualizer = VISUALIZERS.build({**settings, "name": f"hoi_inferencer_{next(_instances)}"})
        visualizer.dataset_meta = self.model.dataset_meta
        return visualizer

    def __call__(
        self,
        inputs: ImageInput | Iterable[ImageInput],
        batch_size: int = 1,
        return_vis: bool = False,
        show: bool = False,
        wait_time: float = 0,
        no_save_vis: bool = False,
        pred_score_thr: float = 0.3,
        top_k: int | None = None,
        verbs: Sequence[str] = (),
        triplets: Sequence[str] = (),
        return_datasamples: bool = False,
        print_result: bool = False,
        no_save_pred: bool = False,
        out_dir: str | Path = "",
        allow_urls: bool = False,
        on_bad_image: str = "skip",
    ) -> dict:
        """Predict, and return everything; :meth:`stream` is for inputs whose results do not fit into memory.

        Arguments are mmdet's where both have them. A threshold, ``top_k``, ``verbs`` and ``triplets`` decide what
        pictures and JSON show (:class:`~hqm_mmdet.visualization.TripletSelection`); data samples hold all pairs.

        Args:
            inputs: path, folder, pattern, array (BGR), PIL image, or several; see :func:`~.sources.find_images`.
            batch_size (int): images per pass through the network. Default: 1.
            return_vis (bool): return pictures, (H, W, 3) uint8 RGB. Default: False.
            show (bool): open a window per picture. Default: False.
            wait_time (float): seconds that it stays; 0 waits for a key. Default: 0.
            no_save_vis, no_save_pred (bool): leave out the pictures or the JSON file in ``out_dir``. Default: False.
            pred_score_thr (float): least score. Default: 0.3.
            top_k (int, optional): so many triplets per image.
            verbs, triplets (Sequence[str]): names to show, ``ride`` and ``ride:bicycle``. Default: none.
            return_datasamples (bool): return :class:`HOIDataSample` objects instead of dicts. Default: False.
            print_result (bool): print each image's dict. Default: False.
            out_dir (str | Path): where ``pictures/`` and ``predictions.json`` go. Empty: nowhere. Default: empty.
            allow_urls (bool): read ``http://`` and other addresses. Default: False.
            on_bad_image (str): ``skip``: go on and list it in the result's ``failures``; ``error``: raise. Default:
                ``skip``.

        Returns:
            dict: ``predictions`` (list, as described in ``docs/inference.md``), ``visualization`` (list of pictures,
            empty if not asked for) and ``failures`` (list of ``name`` and ``reason``).

        Raises:
            InputError: an input does not exist or holds no image.
            SelectionError: an unknown verb or object.
            BadImageError: a bad image with ``on_bad_image='error'``, or no good one at all.
        """
        if on_bad_image not in ("skip", "error"):
            raise ValueError(f"on_bad_image must be 'skip' or 'error', got {on_bad_image!r}.")
        # Before the first image: a misspelt verb should not cost an hour of predictions.
        selection = self.selection(pred_score_thr, top_k, verbs, triplets)
        sources = find_images(inputs, allow_urls)
        failures: list[BadInput] = []
        results = dict(predictions=[], visualization=[])
        stream = self.stream(sources, batch_size, failures if on_bad_image == "skip" else None)
        with OutputFolder(out_dir, not no_save_vis, not no_save_pred) as outputs:
            for prediction in self.progress(stream, sources):
                entry = self.entry(prediction, self.show(prediction.sample, selection))
                outputs.write(entry)
                results["predictions"].append(prediction.sample if return_datasamples else entry)
                if print_result:
                    print(entry)
                if return_vis or show or outputs.pictures:
                    file = outputs.picture_of(prediction)
                    picture = self.picture(prediction, selection, file, show, wait_time)
                    results["visualization"] += [picture] * return_vis
        self._report(failures, len(results["predictions"]))
        return dict(results, failures=[asdict(failure) for failure in failures])

    def stream(
        self,
        inputs: ImageInput | Iterable[ImageInput] | Sequence[ImageSource],
        batch_size: int = 1,
        failures: list[BadInput] | None = None,
        allow_urls: bool = False,
    ) -> Iterator[Prediction]:
        """Predictions one after the other; three batches are in memory, one used, one computed, one read.

        Args:
            inputs: as in :meth:`__call__`; a generator is read as it goes.
            batch_size (int): images per pass through the network. Default: 1.
            failures (list[BadInput], optional): takes the images that can't be read; None: the first one raises.
            allow_urls (bool): read addresses. Default: False.

        Raises:
            InputError, BadImageError: as in :meth:`__call__`.
        """
        sources = inputs if _are_sources(inputs) else find_images(inputs, allow_urls)
        batches = one_ahead(self.preprocess(self._read(sources, failures), batch_size))
        for predictions in one_ahead(self._predict(batches)):
            yield from predictions

    @torch.no_grad()
    def _predict(self, batches: Iterator[tuple[list[np.ndarray], dict]]) -> Iterator[list[Prediction]]:
        for images, data in batches:
            # Results pile up on the caller's side, where there is more memory than on the device.
            samples = [sample.cpu() for sample in self.forward(data)]
            for sample in samples:
                _require_numbers(sample, self.model)
                if self.merge_iou is not None:
                    num_classes = len(self.model.dataset_meta["classes"])
                    sample.pred_pairs = merge_repeats(sample.pred_pairs, self.merge_iou, num_classes)
            yield [
                Prediction(sample.img_path, image, sample, self.model.dataset_meta)
                for image, sample in zip(images, samples, strict=True)
            ]

    def _read(self, sources: Iterable[ImageSource], failures: list[BadInput] | None) -> Iterator[dict]:
        for source in sources:
            try:
                yield dict(img=source.read(), img_path=source.name)
            except BadImageError as error:
                if failures is None:
                    raise
                failures.append(BadInput(source.name, str(error)))

    def show(self, sample: HOIDataSample, selection: TripletSelection | None = None) -> list[ShownPair]:
        """The pairs of a sample that a selection shows (default: scores from 0.3), best first."""
        return (selection or TripletSelection())(sample.pred_pairs, self.model.dataset_meta)

    def entry(self, prediction: Prediction, pairs: Sequence[ShownPair], **more) -> dict:
        """A prediction as a JSON entry, see ``docs/inference.md``."""
        size = prediction.image.shape[:2]
        return shown_entry(prediction.name, size, pairs, self.model.dataset_meta, **more)

    def picture(
        self,
        prediction: Prediction,
        selection: TripletSelection,
        out_file: Path | None = None,
        show: bool = False,
        wait_time: float = 0,
    ) -> np.ndarray:
        """Picture of a prediction, (H, W, 3) uint8 RGB; written and shown if asked for."""
        return self.visualizer.add_datasample(
            prediction.name,
            prediction.rgb,
            prediction.sample,
            show=show,
            wait_time=wait_time,
            out_file=out_file,
            selection=selection,
        )

    def attention(self, image: ImageInput, allow_urls: bool = False) -> tuple[np.ndarray, AttentionMaps]:
        """Attention maps of one image.

        Returns:
            tuple: the image, (H, W, 3) uint8 BGR, and the maps of all its queries.
        """
        (source,) = find_images(image, allow_urls)
        ((image,), data) = next(self.preprocess(self._read([source], None)))
        return image, attention_maps(self.model, data)

    def selection(
        self, score_thr: float, top_k: int | None, verbs: Sequence[str], triplets: Sequence[str]
    ) -> TripletSelection:
        """A selection whose names are known to be right before the first image is read."""
        selection = TripletSelection(score_thr, top_k, tuple(verbs), tuple(triplets))
        selection.allowed(self.model.dataset_meta)
        return selection

    def progress(self, stream: Iterator, sources: Iterable | None = None) -> Iterator:
        """The stream, with a progress bar if the inferencer has one."""
        total = len(sources) or None if hasattr(sources, "__len__") else None
        return track(stream, "Predicting", total=total, disable=not self.show_progress)

    @staticmethod
    def _report(failures: Sequence[BadInput], good: int) -> None:
        """Warn of bad images; without a good one, raise."""
        if failures:
            shown = "; ".join(failure.reason for failure in failures[:5])
            message = f"{len(failures)} of {len(failures) + good} images could not be read: {shown}"
            message += " ..." if len(failures) > 5 else ""
            # Some bad images are told and passed over; only bad ones are no result.
            if not good:
                raise BadImageError(message)
            print_log(message, "current", logging.WARNING)


def _require_numbers(sample: HOIDataSample, model: nn.Module) -> None:
    """Refuse what would look like an image without interactions: no score of a model that computes NaN passes a limit.

    Raises:
        CheckpointError: a score or box is NaN or infinite.
    """
    broken = [key for key, value in sample.pred_pairs.items() if torch.is_tensor(value) and not value.isfinite().all()]
    if broken:
        raise CheckpointError(
            f"image {sample.img_path}: {', '.join(broken)} of {type(model).__name__} are NaN or infinite. Its training "
            "diverged, or its config does not fit: use an earlier checkpoint."
        )


def _config_of(model: str | Path | Config | dict | None, checkpoint: Checkpoint | None) -> Config:
    if isinstance(model, str | Path):
        return config_of_file(model)
    if model is not None:
        return model if isinstance(model, Config) else Config(model)
    if checkpoint is None:
        raise ConfigError("Give a config and a checkpoint, or a checkpoint that holds its config.")
    return checkpoint.config()


def _are_sources(inputs) -> bool:
    return isinstance(inputs, list) and bool(inputs) and isinstance(inputs[0], ImageSource)
