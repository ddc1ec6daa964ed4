"""What the study trains: arms, splits, experiments, and the settings that all trainings share."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from hqm_mmdet.datasets.toy import ToySettings

ROOT = Path(__file__).resolve().parents[2]

# Name in tables -> config. Arms of one family differ by the mining alone; all are compared with the first.
FAMILIES = {
    "QPIC": {
        "baseline": "qpic_toy",
        "GBS": "ablations/qpic_gbs_toy",
        "AMM": "ablations/qpic_amm_toy",
        "CJL": "ablations/qpic_cjl_toy",
        "PJL": "ablations/qpic_pjl_toy",
        "AJL": "qpic_hqm_toy",
        "AJL w/o AMM": "ablations/qpic_gbs_alternate_toy",
        "GBS w/o shift": "ablations/qpic_gbs_no_shift_toy",
        "GBS w Gaussian noise": "ablations/qpic_gbs_noise_toy",
        "AMM w/o top-K": "ablations/qpic_amm_random_toy",
        "AMM w/o A^l": "ablations/qpic_amm_own_toy",
        "AMM w/o Q^m": "ablations/qpic_amm_on_learnable_toy",
    },
    "HOTR": {"HOTR": "hotr_toy", "HOTR + HQM": "hotr_hqm_toy"},
    "CDN": {"CDN": "cdn_s_toy", "CDN + HQM": "cdn_s_hqm_toy"},
    "Conditional": {"Conditional": "conditional_toy", "Conditional + HQM": "conditional_hqm_toy"},
    "12 x 12 maps": {
        "12 x 12 baseline": "ablations/qpic_stride8_toy",
        "12 x 12 AMM": "ablations/qpic_amm_stride8_toy",
        "12 x 12 AJL": "ablations/qpic_hqm_stride8_toy",
    },
    "from a localiser": {
        "localised baseline": "qpic_toy",
        "localised GBS": "ablations/qpic_gbs_toy",
        "localised AMM": "ablations/qpic_amm_toy",
        "localised AJL": "qpic_hqm_toy",
    },
    "frozen HOTR": {"frozen HOTR": "ablations/hotr_frozen_toy", "frozen HOTR + HQM": "ablations/hotr_hqm_frozen_toy"},
}
ARMS = {arm: ROOT / "configs" / f"{config}.py" for arms in FAMILIES.values() for arm, config in arms.items()}


@dataclass(frozen=True)
class Localiser:
    """What the arms of a family start from, as the paper's detectors from DETR: it knows boxes and classes, no verbs.

    Args:
        name: stands for an arm, which has no records.
        config: of :data:`ARMS`.
        options: what keeps verbs from being learnt.
        fresh: prefixes of the parameters that the arms do not take over.
    """

    name: str
    config: Path
    options: Mapping[str, Any]
    fresh: tuple[str, ...]


_WITHOUT_VERBS = {
    "model.bbox_head.loss_verb": dict(type="VerbFocalLoss", loss_weight=0.0),
    "model.bbox_head.train_cfg": dict(
        matcher=dict(
            type="PairMatcher",
            costs=[dict(type="ObjectClassCost"), dict(type="PairL1Cost"), dict(type="PairGIoUCost")],
        )
    ),
}
_INSTANCES_ALONE = {
    "model.bbox_head.loss_verb": dict(type="VerbFocalLoss", alpha=0.25, loss_weight=0.0),
    "model.bbox_head.loss_pointer_weight": 0.0,
    "model.bbox_head.loss_obj_weight": 0.0,
}
_INTERACTION_BRANCH = ("decoder.", "query_embedding.", *(f"bbox_head.{x}." for x in ("sub_pointer", "obj_pointer")))
LOCALISERS = {
    "from a localiser": Localiser("localiser", ARMS["baseline"], _WITHOUT_VERBS, ("bbox_head.verb_cls.",)),
    "frozen HOTR": Localiser(
        "HOTR localiser", ARMS["HOTR"], _INSTANCES_ALONE, (*_INTERACTION_BRANCH, "bbox_head.verb_cls.")
    ),
}
LOCALISER_OF = {arm: localiser for family, localiser in LOCALISERS.items() for arm in FAMILIES[family]}
BASELINE_OF = {arm: next(iter(arms)) for arms in FAMILIES.values() for arm in arms}

NUM_TEST = 2000  # 400, as in the quick start, leave an interval of three points by themselves
SPLITS = {
    "normal": ToySettings(num_test=NUM_TEST),
    "position shift": ToySettings(num_test=NUM_TEST, position_shift=True),
}

EPOCHS = 23  # of 125 iterations: the quick start's length, fixed before any mined training was looked at
EVALUATED = (3, 6, 9, 12, 15, 18, 20, 23)
# Evaluated are averaged weights, in every arm alike: the mean over about the last 250 iterations.
AVERAGE = dict(type="EMAHook", momentum=0.004, update_buffers=True)


@dataclass(frozen=True, order=True)
class Run:
    """One training."""

    split: str
    arm: str
    seed: int

    def file_name(self) -> str:
        """Of its record."""
        words = f"{self.arm} {self.split} {self.seed}".lower()
        return "_".join("".join(c if c.isalnum() else " " for c in words).split()) + ".json"


@dataclass(frozen=True)
class Experiment:
    """A table of the page.

    Args:
        arms: those whose trainings it needs.
        splits: of the toy set.
        seeds: at least so many in every arm.
        precision: half width of the 95 % interval of the paired difference to reach, by more seeds than ``seeds``.
        most_seeds: where that ends.
    """

    arms: tuple[str, ...]
    splits: tuple[str, ...]
    seeds: int
    precision: float | None = None
    most_seeds: int = 0


STRATEGIES = ("baseline", "GBS", "AMM", "CJL", "PJL", "AJL")
EXPERIMENTS = {
    "strategies": Experiment(STRATEGIES, tuple(SPLITS), 5),
    "precision": Experiment(("baseline", "PJL", "AJL"), ("normal",), 5, precision=0.015, most_seeds=40),
    "ablations": Experiment(
        (
            "baseline",
            "GBS",
            "GBS w/o shift",
            "GBS w Gaussian noise",
            "AMM",
            "AMM w/o top-K",
            "AMM w/o A^l",
            "AMM w/o Q^m",
        ),
        ("normal",),
        3,
    ),
    "detectors": Experiment(
        tuple(arm for family in ("HOTR", "CDN", "Conditional") for arm in FAMILIES[family]),
        ("normal",),
        3,
    ),
    "maps": Experiment(tuple(FAMILIES["12 x 12 maps"]), ("normal",), 3),
    "localised": Experiment(tuple(FAMILIES["from a localiser"]), ("normal",), 5),
    "frozen": Experiment(tuple(FAMILIES["frozen HOTR"]), ("normal",), 3),
    "alternation": Experiment(("baseline", "AJL w/o AMM", "AJL"), ("normal",), 5),
}


@dataclass(frozen=True)
class Scale:
    """Size of the trainings. Records of different scales lie in different folders.

    Args:
        folder: of the records, below docs/study.
        experiments: what is trained.
        splits: settings of the data, by name.
        epochs: length.
        evaluated: epochs after which the averaged weights are evaluated.
        image_size: side of the images in pixels.
        train_ann_file: annotations to train on; None for the config's.
        keeps_weights: whether a run leaves its averaged weights in its folder, as a checkpoint of the last epoch.
    """

    folder: str
    experiments: dict[str, Experiment]
    splits: dict[str, ToySettings]
    epochs: int = EPOCHS
    evaluated: tuple[int, ...] = EVALUATED
    image_size: int = 96
    train_ann_file: str | None = None
    keeps_weights: bool = False


SCALES = {
    "standard": Scale("", EXPERIMENTS, SPLITS),
    # Maps of 10 x 10; a training waits for the launches of its small kernels, so many run side by side.
    "gpu": Scale(
        "gpu",
        {"strategies": Experiment(STRATEGIES, tuple(SPLITS), 4)},
        SPLITS,
        image_size=160,
    ),
    # Seconds on a CPU: the whole way of the GPU's study, for tests.
    "tiny": Scale(
        "tiny",
        {"strategies": Experiment(("baseline", "AJL"), ("normal",), 1)},
        {"normal": ToySettings(num_train=32, num_test=8)},
        epochs=2,
        evaluated=(1, 2),
        image_size=64,
    ),
    # Hosts of benchmarks/suppression, which asks for them itself; the last 400 training images are held out.
    "suppression": Scale(
        "suppression",
        {},
        {"normal": SPLITS["normal"]},
        evaluated=(EPOCHS,),
        train_ann_file="annotations/fit_toy.json",
        keeps_weights=True,
    ),
}


def run_config(run: Run, data: Path, scale: Scale) -> Config:
    """The config that a run trains with: the arm's, with data, seed, length, and averaged weights."""
    localiser = next((each for each in LOCALISERS.values() if each.name == run.arm), None)
    cfg = Config.fromfile(localiser.config if localiser else ARMS[run.arm])
    if localiser:
        cfg.merge_from_dict(dict(localiser.options))
    images = (f"{name}_dataloader.dataset.data_root" for name in ("train", "val", "test"))
    cfg.merge_from_dict(dict.fromkeys(images, f"{data}/"))
    cfg.merge_from_dict(
        {
            "train_dataloader.batch_size": 16,
            "val_dataloader.batch_size": 50,
            "val_dataloader.num_workers": 0,
            "val_dataloader.persistent_workers": False,
            "train_cfg.max_epochs": scale.epochs,
            "train_cfg.val_interval": 1,
            "param_scheduler.1.end": scale.epochs,
            # the quick start's milestones, moved with the length
            "param_scheduler.1.milestones": [round(m * scale.epochs / EPOCHS) for m in (16, 20)],
            "val_evaluator.type": "StudyMetric",
            "default_hooks.checkpoint": None,
            "visualizer.vis_backends": [],
            "randomness.seed": run.seed,
            "log_level": "WARNING",
        }
    )
    cfg.default_hooks.pop("visualization")  # mmengine takes None for its own default hooks only
    cfg.train_cfg.type = "StudyTrainLoop"
    cfg.train_cfg.evaluated = scale.evaluated
    if scale.train_ann_file:
        cfg.train_dataloader.dataset.ann_file = scale.train_ann_file
    if scale.keeps_weights:
        cfg.default_hooks.checkpoint = dict(
            type="SafeCheckpointHook", interval=scale.epochs, save_optimizer=False, save_param_scheduler=False
        )
    # The test images are read eight times as well.
    steps = cfg.val_dataloader.dataset.pipeline
    cfg.val_dataloader.dataset.pipeline = [dict(type="KeepInMemory", transforms=steps[:-1]), steps[-1]]
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        for step in loader.dataset.pipeline[0].transforms:
            if step["type"] == "Resize":
                step["scale"] = (scale.image_size, scale.image_size)
    # Arms alternate from the beginning, as the paper does; the quick start lets masking wait.
    hooks = cfg.get("custom_hooks", [])
    for hook in hooks:
        hook.pop("first_alone", None)
    cfg.custom_hooks = [*hooks, AVERAGE]
    return cfg
