"""What happens to an image in the demo, without a page around it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from hqm_mmdet.apis import HOIInferencer
from hqm_mmdet.apis.inference.attention import AttentionMaps, attention_cells
from hqm_mmdet.apis.inference.prediction import Prediction
from hqm_mmdet.apis.inference.sources import find_images
from hqm_mmdet.errors import UserError
from hqm_mmdet.structures import plain_name
from hqm_mmdet.visualization import ShownPair, TripletSelection
from hqm_mmdet.visualization.drawing import colour_of
from hqm_mmdet.visualization.selection import NO_OBJECT_NAME

from .uploads import UploadLimits, read_upload

MAX_EXAMPLES = 24
MAX_TEXTS, MAX_TEXT = 32, 200  # interactions to look for, and characters of each
ASKED = 8  # lists of interactions whose classifiers stay in memory
NO_OBJECT = "no object"  # as it is shown


class RequestError(UserError, ValueError):
    """What a visitor asked for and the demo does not do; the message says why."""


@dataclass(eq=False)
class SeenImage:
    """An image and what the network made of it: all that thresholds, filters and pictures need later.

    Args:
        prediction (Prediction): all pairs.
        inferencer (HOIInferencer): what made it; it knows the names of classes and verbs.
        maps (AttentionMaps, optional): of all queries, once somebody asked for one.
    """

    prediction: Prediction
    inferencer: HOIInferencer
    maps: AttentionMaps | None = None

    @property
    def metainfo(self) -> dict:
        """Names of classes and verbs."""
        return self.inferencer.model.dataset_meta


@dataclass(frozen=True)
class Interaction:
    """A row of the table.

    Args:
        pair (int): number of the pair, from 1, best first.
        colour (tuple): RGB of the pair in the picture.
        subject, verb, object (str): names.
        score (float): of the triplet.
        object_score (float): of the object's class alone.
    """

    pair: int
    colour: tuple[int, int, int]
    subject: str
    verb: str
    object: str
    score: float
    object_score: float


@dataclass(frozen=True)
class ShownImage:
    """What a selection leaves of an image.

    Args:
        name (str): of the image.
        picture (ndarray): (H, W, 3) uint8 RGB, with the pairs.
        pairs (Sequence[ShownPair]): best first; the n-th has the n-th colour.
        interactions (Sequence[Interaction]): best first.
        entry (dict): as an entry of ``predictions.json``.
        best_score (float): of all triplets, selected or not; 0 if there are none.
    """

    name: str
    picture: np.ndarray
    pairs: Sequence[ShownPair]
    interactions: Sequence[Interaction]
    entry: dict
    best_score: float


class DemoSession:
    """A model and the rules of the house.

    The network runs once per image in :meth:`see` and once more when attention is first asked for; :meth:`show` never
    runs it.

    Args:
        inferencer (HOIInferencer): the model.
        limits (UploadLimits): which files are accepted.
        examples (str | Path, optional): a folder of images to try, of which the first 24 are taken.

    Raises:
        InputError: the folder does not exist or holds no image.
    """

    def __init__(
        self, inferencer: HOIInferencer, limits: UploadLimits | None = None, examples: str | Path | None = None
    ):
        self.inferencer = inferencer
        self.limits = limits or UploadLimits()
        self._asking = lru_cache(ASKED)(inferencer.asking)
        found = [] if examples is None else find_images(examples)
        self.examples = [Path(source.content) for source in found[:MAX_EXAMPLES]]

    @property
    def metainfo(self) -> dict:
        """Names of the model's classes and verbs."""
        return self.inferencer.model.dataset_meta

    @property
    def verbs(self) -> list[tuple[str, str]]:
        """Verbs to filter by: how they are shown, and their name."""
        return [(plain_name(name), name) for name in self.metainfo["verbs"]]

    @property
    def objects(self) -> list[tuple[str, str]]:
        """Objects to filter by, likewise; the last one stands for an absent object."""
        return [*((plain_name(name), name) for name in self.metainfo["classes"]), (NO_OBJECT, NO_OBJECT_NAME)]

    @property
    def max_pairs(self) -> int:
        """No picture shows more."""
        return self.inferencer.visualizer.max_pairs

    def read(self, example: Path) -> np.ndarray:
        """Pixels of an example, (H, W, 3) uint8, BGR.

        Raises:
            UploadError: it is refused.
        """
        return read_upload(example.read_bytes(), example.name, self.limits)

    def see(self, content: bytes, name: str, texts: str = "") -> SeenImage:
        """Run the network on an uploaded file.

        Args:
            content (bytes): of the file.
            name (str): of the file.
            texts (str): interactions to look for, one per line. Default: those of the data set.

        Raises:
            UploadError: it is refused.
            RequestError: so is a text.
        """
        inferencer = self._inferencer(texts)
        return self._predict(inferencer, name, read_upload(content, name, self.limits))

    def ask(self, seen: SeenImage, texts: str) -> SeenImage:
        """Look for other interactions in the same image; arguments and errors as in :meth:`see`."""
        return self._predict(self._inferencer(texts), seen.prediction.name, seen.prediction.image)

    def _inferencer(self, texts: str) -> HOIInferencer:
        lines = tuple(line.strip() for line in texts.splitlines() if line.strip())
        if not lines:
            return self.inferencer
        if len(lines) > MAX_TEXTS or max(map(len, lines)) > MAX_TEXT:
            raise RequestError(f"At most {MAX_TEXTS} interactions of {MAX_TEXT} characters each.")
        try:
            return self._asking(lines)
        except UserError as error:
            raise RequestError(str(error)) from error

    @staticmethod
    def _predict(inferencer: HOIInferencer, name: str, image: np.ndarray) -> SeenImage:
        # The array is read already: the file's limits and formats are the demo's, not the inferencer's.
        (prediction,) = inferencer.stream(image)
        return SeenImage(Prediction(name, image, prediction.sample, prediction.metainfo), inferencer)

    def pairs(self, seen: SeenImage, selection: TripletSelection) -> list[ShownPair]:
        """What a selection leaves, best first; nothing is drawn."""
        return seen.inferencer.show(seen.prediction.sample, selection)

    def show(self, seen: SeenImage, selection: TripletSelection) -> ShownImage:
        """Picture, table and JSON of what a selection leaves; the network does not run."""
        pairs = self.pairs(seen, selection)
        # Where nothing is shown, the page names the score at which there would be something.
        everything = self.pairs(seen, TripletSelection(0.0))
        return ShownImage(
            seen.prediction.name,
            seen.inferencer.picture(seen.prediction, selection),
            pairs,
            self._interactions(seen, pairs),
            seen.inferencer.entry(seen.prediction, pairs),
            everything[0].scores[0] if everything else 0.0,
        )

    def describe(self, seen: SeenImage, pairs: Sequence[ShownPair]) -> list[tuple[str, int]]:
        """A line per pair and the pair's ``index``, to choose from."""
        lines = []
        for number, pair in enumerate(pairs, 1):
            verbs = ", ".join(plain_name(seen.metainfo["verbs"][verb]) for verb in pair.verbs)
            lines.append((f"{number} ({verbs}: {_object(seen, pair)})", pair.index))
        return lines

    def knows_queries(self, seen: SeenImage) -> bool:
        """Whether the model tells which query a pair came from; otherwise there is no attention to show."""
        return "queries" in seen.prediction.sample.pred_pairs

    def attention(self, seen: SeenImage, pairs: Sequence[ShownPair], index: int) -> list[tuple[str, np.ndarray]]:
        """The one of the shown pairs with this ``index``, then where its query looks in each decoder layer.

        Returns:
            list: name and picture, (H, W, 3) uint8 RGB, all of one size; empty if the pair is not shown.

        Raises:
            AttentionError: the model's pairs don't belong to single queries.
        """
        number = next((n for n, pair in enumerate(pairs) if pair.index == index), None)
        if number is None:
            return []
        # Attention weights are large, and most visitors never ask for them.
        if seen.maps is None:
            seen.maps = seen.inferencer.attention(seen.prediction.image)[1]
        cells = attention_cells(seen.prediction, pairs[number], seen.maps, seen.metainfo, number)
        return list(zip(("the pair", *seen.maps.layers), cells, strict=True))

    def _interactions(self, seen: SeenImage, pairs: Sequence[ShownPair]) -> list[Interaction]:
        object_scores = seen.prediction.sample.pred_pairs.obj_scores
        subject = plain_name(seen.metainfo["classes"][int(seen.metainfo.get("subject_label", 0))])
        rows = [
            Interaction(
                number + 1,
                colour_of(number),
                subject,
                plain_name(seen.metainfo["verbs"][verb]),
                _object(seen, pair),
                score,
                float(object_scores[pair.index]),
            )
            for number, pair in enumerate(pairs)
            for verb, score in zip(pair.verbs, pair.scores, strict=True)
        ]
        return sorted(rows, key=lambda row: -row.score)


def _object(seen: SeenImage, pair: ShownPair) -> str:
    return NO_OBJECT if pair.obj_label is None else plain_name(seen.metainfo["classes"][pair.obj_label])
