"""Hostile annotations, predictions and images, through every command that reads them."""

import gzip
import io
import json
import pickle
from random import Random

import numpy as np
from PIL import Image

from fuzz.material import Material
from fuzz.mutation import json_bytes, mutate_bytes, mutate_value
from fuzz.verdict import Verdict, run_command
from hqm_mmdet.datasets import HOIDataset
from hqm_mmdet.datasets.checking.images import inspect_image
from hqm_mmdet.datasets.transforms import LoadHOIImage
from hqm_mmdet.demo import UploadLimits, read_upload
from hqm_mmdet.registry import DATASETS
from hqm_mmdet.visualization import TripletSelection

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")


class Annotations:
    """HOIA-style files: checked, trained on, evaluated against, browsed."""

    names = ("fuzz.json", "perfect.json")  # the latter does not fit the former

    def __call__(self, rng: Random, material: Material) -> Verdict | None:
        """One file, one reader."""
        content = mutate_value(rng, material.annotations, rng.choice((1, 1, 2, 5)))
        file = material.write("fuzz.json", json_bytes(rng, content))
        own = ("--names", material.names_file, "--images", material.images, "--ann-file", file)
        kind = rng.choices(("check", "train", "evaluate", "official", "browse"), (5, 5, 4, 1, 0.3))[0]
        if kind == "check":
            more = rng.choice(((), ("--no-images",), ("--suspicious",), ("--strict",)))
            return run_command("check-data", "--dataset", "HOIDataset", *own, "--quiet", *more)
        if kind == "browse":
            out = material.folder / "page"
            return run_command("browse", "--dataset", "HOIDataset", *own, "--quiet", "--out", out)
        if kind == "train":
            return self._train(rng, material, str(file))
        perfect = material.write("perfect.json", json.dumps(material.predictions).encode())
        data = ("vcoco",) if kind == "official" else ("own", "--names-file", material.names_file)
        train = () if kind == "official" else ("--train-ann-file", material.training_file)
        return run_command("eval", perfect, "--ann-file", file, "--dataset", *data, *train)

    @staticmethod
    def _train(rng: Random, material: Material, file: str) -> None:
        steps = material.config.train_dataloader.dataset.pipeline[1:]
        load = [dict(type="LoadHOIImage"), dict(type="LoadHOIAnnotations", with_bbox=True)]
        dataset: HOIDataset = DATASETS.build(
            dict(
                type="HOIDataset",
                ann_file=file,
                names_file=str(material.names_file),
                data_prefix=dict(img=str(material.images)),
                pipeline=[*load, dict(type="Resize", scale=(64, 64), keep_ratio=False), *steps],
                max_boxes=rng.choice((None, 2, 100)),
                filter_cfg=rng.choice((None, dict(filter_empty_gt=True))),
                strict=rng.random() < 0.2,
            )
        )
        for i in range(min(2, len(dataset))):
            dataset[i]


class Predictions:
    """Prediction files of all formats: evaluated, reported, suppressed."""

    names = ("fuzz.",)

    def __call__(self, rng: Random, material: Material) -> Verdict | None:
        """One file, one reader."""
        file = self._file(rng, material)
        truth = ("--ann-file", material.data / "annotations" / "test_toy.json")
        options = rng.choice(((), ("--pair-nms",), ("--strict",), ("--boxes", "xywh"), ("--boxes", "fractions")))
        if rng.random() < 0.02:
            return run_command("report", file, *truth, "--out", material.folder / "page", "--resamples", 0, "--quiet")
        out = ("--json", material.folder / "numbers.json") if rng.random() < 0.2 else ()
        return run_command("eval", file, *truth, *options, *out)

    def _file(self, rng: Random, material: Material):
        if rng.random() < 0.7:
            content = mutate_value(rng, material.predictions, rng.choice((1, 1, 2, 5)))
            data = json_bytes(rng, content)
            if rng.random() < 0.1:
                packed = gzip.compress(data, 1)
                return material.write("fuzz.json.gz", mutate_bytes(rng, packed) if rng.random() < 0.5 else packed)
            return material.write("fuzz.json", data)
        content = mutate_value(rng, rng.choice((self._qpic, self._dumped, self._official))(material))
        data = pickle.dumps(content, protocol=rng.choice((2, 4)))
        return material.write("fuzz.pkl", mutate_bytes(rng, data) if rng.random() < 0.4 else data)

    @staticmethod
    def _qpic(material: Material) -> list[dict]:
        one = dict(boxes=np.ones((2, 4)), labels=np.zeros(2), verb_scores=np.ones((1, 12)), sub_ids=[0], obj_ids=[1])
        return [dict(one) for _ in material.annotations]

    @staticmethod
    def _dumped(material: Material) -> list[dict]:
        boxes, labels = np.ones((2, 4), np.float32), np.zeros(2, np.int64)
        pairs = dict(sub_bboxes=boxes, obj_bboxes=boxes, obj_labels=labels, verb_scores=np.ones((2, 12), np.float32))
        return [dict(img_path=entry["file_name"], pred_pairs=dict(pairs)) for entry in material.annotations]

    @staticmethod
    def _official(material: Material) -> list[dict]:
        return [dict(image_id=i, person_box=[0, 0, 9, 9], hold_agent=0.5, hold_obj=[0, 0, 9, 9, 0.5]) for i in range(3)]


class Images:
    """Image files: predicted and drawn, uploaded, checked, loaded for training."""

    names = ("fuzz.img", "image")

    def __call__(self, rng: Random, material: Material) -> Verdict | None:
        """One file, one reader."""
        data = self._encoded(rng)
        file = material.write("fuzz.img", mutate_bytes(rng, data) if rng.random() < 0.7 else data)
        kind = rng.choice(("predict", "upload", "check", "load"))
        if kind == "predict":
            for prediction in material.inferencer.stream(str(file)):
                material.inferencer.entry(prediction, material.inferencer.show(prediction.sample))
                material.inferencer.picture(prediction, TripletSelection(0.0))
        elif kind == "upload":
            read_upload(file.read_bytes(), "fuzz.img", UploadLimits(1, 4))
        elif kind == "check":
            inspect_image(file)
        else:
            LoadHOIImage().transform(dict(img_path=str(file)))
        return None

    @staticmethod
    def _encoded(rng: Random) -> bytes:
        sides = rng.choice(((1, 1), (7, 5), (40, 30), (1, 900), (900, 2), (64, 64), (1, 150_000), (3000, 2000)))
        mode = rng.choice(("RGB", "L", "1", "P", "RGBA", "LA", "CMYK", "I", "I;16", "F"))
        image = Image.new(mode if mode != "LA" else "RGBA", sides, rng.choice((0, 1)))
        kind = rng.choice(FORMATS)
        options = {}
        if rng.random() < 0.3 and kind in ("JPEG", "PNG", "WEBP", "TIFF"):
            options["exif"] = exif = Image.Exif()
            exif[0x0112] = rng.choice((0, 1, 3, 6, 8, 99, 65535))
        stream = io.BytesIO()
        try:
            image.save(stream, kind, **options)
        except Exception:  # a mode or a size that the format lacks; Pillow says so in many ways
            stream = io.BytesIO()
            image.convert("RGB").resize((8, 8)).save(stream, "PNG")
        return stream.getvalue()
