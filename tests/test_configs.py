"""Every config of the project loads, builds, and says what its comment says."""

import re
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope, init_default_scope

from hqm_mmdet.apis import build_model
from hqm_mmdet.apis.class_names import class_names
from hqm_mmdet.evaluation.functional import TripletNMS, WholePairNMS
from hqm_mmdet.registry import HOOKS, MODELS, TASK_UTILS
from hqm_mmdet.visualization import HOIVisualizer

ROOT = Path(__file__).parents[1]
CONFIGS = sorted(ROOT.glob("configs/*.py"))


def base_of(path: Path) -> Path:
    """The first file that a config inherits."""
    return path.parent / re.search(r'_base_ = \[\s*"(.+?)"', path.read_text())[1]


def plain_model(cfg: Config) -> dict:
    """A config's model without what mining adds to it."""
    return {key: value for key, value in cfg.model.to_dict().items() if key != "query_mining"}


ABLATIONS = [path for path in sorted(ROOT.glob("configs/ablations/*.py")) if "_hqm_" in base_of(path).stem]


# Plain ones last, so that they stand for the HQM configs with the same model.
DISTINCT = {
    repr(plain_model(Config.fromfile(path))): path for path in sorted(CONFIGS, key=lambda p: "_hqm_" not in p.stem)
}


@pytest.mark.parametrize("path", DISTINCT.values(), ids=lambda path: path.stem)
def test_heads_fit_the_data_set(path):
    """Models of plain detectors; what an HQM config has besides is built below."""
    cfg = Config.fromfile(path)
    model = build_model(cfg, initialise=False)  # needs none of the files that training starts from
    # The names of one's own data are the user's; interactiveness knows no verbs.
    if path.stem != "qpic_own" and not path.stem.startswith("interactiveness"):
        model.dataset_meta = {}
        assert len(class_names(model, cfg)["verbs"]) == model.bbox_head.num_verbs


def test_mining_and_hooks_build():
    init_default_scope("hqm_mmdet")
    HOIVisualizer.get_instance("test_configs")  # a hook asks for the current one
    built = set()
    for path in (*CONFIGS, *ABLATIONS):
        cfg = Config.fromfile(path)
        mining, hooks = cfg.model.get("query_mining"), (*cfg.default_hooks.values(), *cfg.get("custom_hooks", []))
        assert (mining is not None) == ("_hqm_" in path.stem or path in ABLATIONS), path.stem
        assert any(hook["type"] == "AJLHook" for hook in hooks) == (mining is not None), path.stem
        for registry, part in ((MODELS, mining), *((HOOKS, hook) for hook in hooks)):
            if part is not None and repr(part) not in built:
                registry.build(part)
                built.add(repr(part))


@pytest.mark.parametrize("path", ABLATIONS, ids=lambda path: path.stem)
def test_ablations_differ_from_hqm_in_mining_only(path):
    cfg, hqm = Config.fromfile(path), Config.fromfile(base_of(path))
    for each in (cfg, hqm):
        each.model.pop("query_mining")
    differing = {name for name in hqm if cfg[name] != hqm[name]}
    released = path.stem == "qpic_hqm_hico_released"  # its order of turns and its schedule differ too
    assert differing == ({"custom_hooks", "param_scheduler", "train_cfg"} if released else set())
    assert set(cfg) == set(hqm)


def test_released_schedule_and_turns():
    cfg = Config.fromfile(ROOT / "configs" / "ablations" / "qpic_hqm_hico_released.py")
    assert (cfg.train_cfg.max_epochs, cfg.param_scheduler[0].milestones) == (80, [55])
    assert cfg.train_cfg.dynamic_intervals == [(56, 1)]
    (hook,) = map(HOOKS.build, cfg.custom_hooks)
    assert hook.restart


@pytest.mark.parametrize("path", [path for path in CONFIGS if "_hqm_" in path.stem], ids=lambda path: path.stem)
def test_hqm_differs_from_plain_in_mining_and_schedule_only(path):
    plain, hqm = (Config.fromfile(each).to_dict() for each in (path.with_name(path.name.replace("_hqm", "")), path))
    assert hqm["model"].pop("query_mining")
    differing, mining = {name for name in hqm if hqm[name] != plain.get(name)}, {"query_mining", "custom_hooks"}
    assert mining <= differing <= mining | (set() if path.stem.endswith("_toy") else {"param_scheduler", "train_cfg"})
    assert set(plain) <= set(hqm)


# epochs, and the one before the learning rate drops
SCHEDULES = dict(
    qpic_hico=(150, 100),
    qpic_hqm_hico=(80, 50),
    conditional_hico=(80, 50),
    conditional_hqm_hico=(80, 50),
    conditional_vcoco=(80, 50),
    conditional_hoia=(80, 50),
    cdn_s_hico=(90, 60),
    cdn_b_hico=(90, 60),
    cdn_l_hico=(90, 60),
    cdn_s_hqm_hico=(60, 30),
    cdn_b_hqm_hico=(60, 30),
    cdn_l_hqm_hico=(60, 30),
    cdn_s_vcoco=(90, 60),
    cdn_b_vcoco=(90, 60),
    cdn_l_vcoco=(90, 60),
    cdn_s_hqm_vcoco=(60, 30),
    cdn_b_hqm_vcoco=(60, 30),
    cdn_l_hqm_vcoco=(60, 30),
)


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name):
    cfg, (epochs, drop) = Config.fromfile(ROOT / "configs" / f"{name}.py"), SCHEDULES[name]
    (step,) = cfg.param_scheduler
    assert (cfg.train_cfg.max_epochs, step.end, step.milestones) == (epochs, epochs, [drop])
    assert cfg.train_cfg.dynamic_intervals == [(drop + 1, 1)]


@pytest.mark.parametrize("mining", ("", "_hqm"))
@pytest.mark.parametrize("size,layers,depth", (("s", 3, 50), ("b", 6, 50), ("l", 6, 101)))
@pytest.mark.parametrize("dataset,queries,classes,verbs", (("hico", 64, 80, 117), ("vcoco", 100, 81, 29)))
def test_cdn_sizes(size, layers, depth, dataset, queries, classes, verbs, mining):
    cfg = Config.fromfile(ROOT / "configs" / f"cdn_{size}{mining}_{dataset}.py")
    model = cfg.model
    assert (model.decoder.num_layers, model.backbone.depth, model.num_queries) == (layers, depth, queries)
    assert (model.bbox_head.num_obj_classes, model.bbox_head.num_verbs) == (classes, verbs)
    assert "pair_nms" in cfg.val_evaluator and "pair_nms" not in model.bbox_head  # as official evaluations do
    assert "interaction_decoder" not in model  # as deep as the pair decoder


@pytest.mark.parametrize(
    ("name", "reweighted"),
    [("s_{}hico", "obj verb"), ("b_{}hico", "obj verb"), ("l_{}hico", "obj verb"), ("s_{}vcoco", "verb")],
)
def test_second_stage_of_cdn(name, reweighted):
    first, second = (Config.fromfile(ROOT / "configs" / f"cdn_{name.format(stage)}.py") for stage in ("", "reweight_"))
    model, plain = second.model.to_dict(), first.model.to_dict()
    assert model.pop("trainable") == second.trainable
    for which in reweighted.split():
        assert model["bbox_head"].pop(f"{which}_reweighting") == second.reweighting
    assert model == plain
    assert second.load_from == f"work_dirs/cdn_{name.format('')}/epoch_90.pth" and first.train_cfg.max_epochs == 90
    assert second.train_cfg.max_epochs == 10 and second.param_scheduler is None
    assert second.optim_wrapper.optimizer.lr == 1e-5 and first.optim_wrapper.optimizer.lr == 1e-4
    assert second.custom_hooks == [dict(type="ReweightingHook")]
    changed = {name for name in second if second[name] != first.get(name)}
    fragment = {"reweighting", "trainable", "reweighting_hooks"}
    training = {"load_from", "custom_hooks", "optim_wrapper", "param_scheduler", "train_cfg"}
    assert changed == fragment | training | {"model"}


@pytest.mark.parametrize("name", ["hico", "vcoco", "toy"])
def test_stages_of_tin(name):
    whole, first, second = (
        Config.fromfile(ROOT / "configs" / f"tin_{stage}{name}.py").to_dict() for stage in ("", "hoi_", "joint_")
    )
    assert second["load_from"] == f"work_dirs/tin_hoi_{name}/epoch_{first['train_cfg']['max_epochs']}.pth"
    assert second["model"] == whole["model"]
    assert first["model"]["bbox_head"].pop("interactiveness") is None
    assert whole["model"]["bbox_head"].pop("interactiveness") is not None
    assert first == whole


@pytest.mark.parametrize("path", [path for path in CONFIGS if path.stem.startswith("cdn")], ids=lambda path: path.stem)
def test_cdn_is_evaluated_with_pair_nms(path):
    cfg = Config.fromfile(path)
    assert cfg.val_evaluator == cfg.test_evaluator
    options = cfg.test_evaluator.get("pair_nms")
    if path.stem.endswith("toy"):
        assert options is None
    else:
        assert TripletNMS(**options) == TripletNMS() and WholePairNMS(**options) == WholePairNMS()


@pytest.mark.parametrize(
    ("detector", "pairs"),
    [("detr_r50", "upt_r50"), ("dino_r50", "pvic_dino_r50"), ("rtmdet_l", "upt_rtmdet")],
)
def test_tuned_detectors_are_those_that_pairs_are_found_with(detector, pairs):
    tuned = Config.fromfile(ROOT / "configs" / "detectors" / f"{detector}_hico.py")
    used = Config.fromfile(ROOT / "configs" / f"{pairs}_hico.py").model.instances.detector
    train_cfg = tuned.model.pop("train_cfg")
    assert tuned.model.to_dict() == used.to_dict() and tuned.load_from and tuned.val_evaluator is None
    with DefaultScope.overwrite_default_scope("hqm_mmdet"):
        assert TASK_UTILS.build(train_cfg.assigner)
