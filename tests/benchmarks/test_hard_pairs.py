"""The table of records, with differences seed by seed."""

import json


def record(method, arm, seed, full):
    metrics = {"hico/full": full, "hico/rare": full - 0.1, "hico/non_rare": full + 0.1}
    return dict(method=method, arm=arm, seed=seed, epochs=12, images=2000, metrics=metrics)


def test_means_and_differences_of_the_same_seeds(script, tmp_path):
    tool = script("hard_pairs")
    runs = [
        ("plain", 0, 0.5),
        ("plain", 1, 0.6),
        ("plain", 2, 0.9),
        ("with hard pairs", 0, 0.52),
        ("with hard pairs", 1, 0.64),
    ]
    for arm, seed, full in runs:
        (tmp_path / f"{arm}_{seed}.json").write_text(json.dumps(record("UPT", arm, seed, full)))
    lines = tool.table(tmp_path).splitlines()
    assert lines[2].startswith("| UPT | plain | 3 | 66.7 ± 20.8 |")
    assert lines[3].startswith("| UPT | with hard pairs | 2 | 58.0 ± 8.5 |")
    assert lines[4].startswith("| UPT | difference | 2 | 3.0 ± 1.4 |")  # of seeds 0 and 1
    assert "12 epochs of 2000 images" in lines[-1]
    assert "no record yet" in tool.table(tmp_path / "none")


def test_arms_differ_in_mining_only(script, tmp_path):
    tool = script("hard_pairs")
    args = type("Args", (), dict(work_dir=tmp_path, epochs=10, data=tmp_path))
    plain, mined = (tool.config("upt", arm, 1, args).to_dict() for arm in tool.ARMS)
    assert mined["model"].pop("query_mining")
    assert plain["model"] == mined["model"] and plain["train_cfg"] == mined["train_cfg"]
    assert plain["randomness"] == mined["randomness"] == dict(seed=1)
