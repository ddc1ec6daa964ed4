"""The study of suppression: who learns from which images, what the table says."""

import json

import pytest


@pytest.fixture(scope="module")
def hosts(script):
    return script("suppression.hosts")


@pytest.fixture(scope="module")
def networks(script):
    return script("suppression.networks")


@pytest.fixture(scope="module")
def outcomes(script):
    return script("suppression.outcomes")


@pytest.fixture(scope="module")
def table(script):
    return script("suppression.table")


def test_hosts_leave_out_the_images_of_the_search_and_keep_their_weights(script, hosts, tmp_path):
    plan = script("study.plan")
    cfg = plan.run_config(plan.Run(hosts.SPLIT, hosts.HOSTS["QPIC"], 1), tmp_path, plan.SCALES[hosts.SCALE])
    assert cfg.train_dataloader.dataset.ann_file == "annotations/fit_toy.json"
    assert cfg.train_cfg.evaluated == (plan.EPOCHS,) and cfg.default_hooks.checkpoint.interval == plan.EPOCHS
    plain = plan.run_config(plan.Run(hosts.SPLIT, "baseline", 1), tmp_path, plan.SCALES["standard"])
    assert plain.train_dataloader.dataset.ann_file == "annotations/trainval_toy.json"
    assert plain.default_hooks.checkpoint is None


def test_boxes_get_the_best_score_of_their_pairs(networks, tmp_path):
    boxes = [dict(bbox=[0, 0, 5, 9], category_id=1), dict(bbox=[2, 3, 5, 9], category_id=4)]
    pairs = [dict(subject_id=0, object_id=1, score=[0.1, 0.4]), dict(subject_id=0, object_id=-1, score=[0.0, 0.7])]
    (tmp_path / "p.json").write_text(json.dumps([dict(file_name="a.png", predictions=boxes, hoi_prediction=pairs)]))
    rows = json.loads(networks.detections_of(tmp_path / "p.json", tmp_path / "d.json").read_text())
    assert [(row["image_id"], row["category_id"], row["bbox"], row["score"]) for row in rows] == [
        ("a.png", 1, [0, 0, 5, 9], 0.7),
        ("a.png", 4, [2, 3, 3, 6], 0.4),
    ]


def test_networks_learn_from_the_boxes_of_the_host(networks, tmp_path):
    cfg = networks.network_config(tmp_path, tmp_path / "d.json", tmp_path / "work", seed=2)
    dataset = cfg.train_dataloader.dataset
    assert dataset.ann_file == "annotations/fit_toy.json" and dataset.detections == str(tmp_path / "d.json")
    assert cfg.model.instances.type == "StoredInstances" and cfg.randomness.seed == 2
    assert cfg.train_cfg.max_epochs == cfg.param_scheduler[1].end == networks.EPOCHS


def test_table_has_means_and_deviations_over_seeds(outcomes, table):
    def outcome(seed, gain):
        rules = {
            outcomes.PLAIN: dict(full=0.4 + 0.1 * seed, rare=0.1, non_rare=0.5, right=0, wrong=0),
            outcomes.SEARCHED: dict(full=0.4 + 0.1 * seed + gain, rare=0.1, non_rare=0.5, right=30, wrong=4 * seed),
            outcomes.PRODUCT: dict(full=0.4 + 0.1 * seed - gain, rare=0.2, non_rare=0.5),
        }
        network = dict(mAP=0.7, AP_interactive=0.5, AP_non_interactive=0.9, pairs=100, interactive_pairs=25)
        return outcomes.Outcome("QPIC", seed, "", {}, "", network, {}, rules)

    text = table.table([outcome(0, 0.01), outcome(1, 0.03)])
    assert "| QPIC | host alone | 2 | 0.4500 ± 0.0707 |  | 0.1000 ± 0.0000 |  |  |" in text
    assert "| QPIC | searched thresholds | 2 | 0.4700 ± 0.0849 | +0.0200 ± 0.0141 | 0.1000 ± 0.0000 | 30 | 2 |" in text
    assert "| QPIC | multiply | 2 | 0.4300 ± 0.0566 | -0.0200 ± 0.0141 | 0.2000 ± 0.0000 |  |  |" in text
    assert "| QPIC | 2 | 100 | 25.0% | 0.5000" in text
    assert "no host" in table.table([]).lower()
