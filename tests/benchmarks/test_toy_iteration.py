"""The benchmark of toy iterations measures what a training does."""

from hqm_mmdet.datasets.toy import ToySettings, make_toy_hoi


def test_plain_and_mined_take_turns(script, monkeypatch, tmp_path):
    benchmark = script("toy_iteration")
    monkeypatch.chdir(tmp_path)
    make_toy_hoi("data/toy_hoi", ToySettings(num_train=32, num_test=1), progress=False)
    times = benchmark.measure(iterations=3)  # more than an epoch: the loader goes on
    assert set(times) == {"plain", "mined"}
    assert all(len(values) == 3 and min(values) > 0 for values in times.values())
