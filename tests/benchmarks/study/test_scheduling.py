"""What is trained next."""

import pytest


def test_queue_takes_whole_pairs_first_and_skips_what_is_done(script, plan, record):
    scheduling = script("study.scheduling")
    experiment = plan.Experiment(("baseline", "AJL"), ("normal", "position shift"), 2)
    done = {r.run: r for r in [record(), record("AJL")]}
    assert [(r.split, r.arm, r.seed) for r in scheduling.wanted(experiment, done)] == [
        ("position shift", "baseline", 0),
        ("position shift", "AJL", 0),
        ("normal", "baseline", 1),
        ("normal", "AJL", 1),
        ("position shift", "baseline", 1),
        ("position shift", "AJL", 1),
    ]


@pytest.mark.parametrize(("spread", "wanted"), [(0.05, 15), (0.013, 2), (0.0001, 0)])
def test_seeds_are_added_until_the_interval_is_narrow(script, plan, record, spread, wanted):
    scheduling = script("study.scheduling")
    experiment = plan.Experiment(("baseline", "PJL", "AJL"), ("normal",), 5, precision=0.015, most_seeds=20)
    arms = dict(baseline=0.0, PJL=0.01, AJL=0.02)
    done = {
        r.run: r
        for seed in range(5)
        for arm, gain in arms.items()
        for r in [record(arm, seed=seed, full=0.5 + gain + (spread * (-1) ** seed if arm == "AJL" else 0))]
    }
    seeds = range(5, 5 + wanted)  # all that the spread asks for at once, so that many can be trained side by side
    assert [(r.seed, r.arm) for r in scheduling.wanted(experiment, done)] == [(s, arm) for s in seeds for arm in arms]


def test_a_training_that_fails_names_its_log(script, plan, records_module, tmp_path):
    scheduling = script("study.scheduling")
    experiment = plan.Experiment(("baseline",), ("normal",), 1)
    queue = scheduling.Queue("standard", [experiment], {}, tmp_path, tmp_path, 1, "abc")  # there is no data in tmp_path
    with pytest.raises(records_module.StudyError, match=r"baseline_normal_0\.json.*worker_0\.log"):
        list(queue.run())
    log = tmp_path / "worker_0.log"
    assert "toy_hoi.json" in log.read_text()
