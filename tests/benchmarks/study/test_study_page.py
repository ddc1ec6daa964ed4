"""The page that is made from records."""


def test_runs_of_two_devices_are_compared(script, plan, record):
    tables, versions = script("study.tables"), dict(torch="2.13.0", machine="x86_64", device="a GPU")
    records = {r.run: r for seed in range(2) for r in [record(seed=seed, full=0.5 + 0.1 * seed)]}
    again = [record(seed=seed, full=0.4, versions=versions) for seed in range(3)]  # the last one was made there alone
    text = tables.devices_text(records, again)
    assert "| baseline, normal, seed 1 | CPU, torch 2.13.0 | 0.6000 | a GPU, torch 2.13.0 | 0.4000 | +0.2000 |" in text
    assert text.endswith("Mean difference: +0.1500 [-0.4853, +0.7853].") and "seed 2" not in text
    assert tables.devices_text(records, [record(full=0.1)]) == ""


def test_page_is_made_from_records(script, plan, record, tmp_path):
    tables = script("study.tables")
    records = {
        r.run: r
        for split in plan.SPLITS
        for seed in range(3)
        for arm, gain in dict(baseline=0, AJL=0.1, GBS=-0.001 * seed).items()
        for r in [record(arm, split, seed, 0.4 + gain + 0.01 * seed)]
    }
    page = tmp_path / "study.md"
    page.write_text("# Study\n\nwritten by hand\n")
    for _ in range(2):  # the second time, nothing is doubled
        left_out = {plan.Run("normal", "PJL", 0): "other config"}
        tables.write_page(page, plan.SCALES["standard"], records, left_out, dict(baseline=100, AJL=125))
    text = page.read_text()
    assert text.startswith("# Study\n\nwritten by hand\n")
    rows = [line for line in text.splitlines() if line.startswith("| AJL | 3 | 0.5100 ± 0.0100 | +0.1000 [")]
    assert len(rows) == 3 and all("| helps |" in row for row in rows)  # on both splits, and beside AJL w/o AMM
    # 240 of 300 iterations, on the line from half of the final mAP to the whole of it
    assert all(row.endswith("| 125 | -0.0530 [-0.0605, -0.0455] |") for row in rows)
    assert text.count("| PJL |") == 0 and text.count("no training is finished yet") == 4
    assert text.count("left out: `pjl_normal_0.json` (other config)") == 1
    for name in ("study_strategies.png", "study_strategies_verbs.png"):
        assert (tmp_path / "images" / name).stat().st_size > 10_000


def test_scales_have_parts_of_their_own(script, plan, record, tmp_path):
    tables, page = script("study.tables"), tmp_path / "study.md"
    for scale in ("standard", "gpu"):
        tables.write_page(page, plan.SCALES[scale], {r.run: r for r in [record()]}, {}, {})
    text = page.read_text()
    for name in ("strategies", "strategies_gpu", "records", "records_gpu"):
        assert text.count(f"<!-- written by `study.tables: {name}`: begin -->") == 1
    assert "one JSON file each in `docs/study/`" in text and "one JSON file each in `docs/study/gpu`" in text


def test_costs_are_measured_and_read_again(script, plan, tiny, tmp_path):
    costs, (scale, data) = script("study.costs"), tiny
    measured = costs.measure(["baseline", "GBS", "localised baseline"], data, scale, iterations=3)
    assert set(measured) == {"baseline", "GBS"} and min(measured.values()) > 0
    assert costs.read_costs(tmp_path) == {}
    costs.write_costs(tmp_path, dict(baseline=0.1, CDN=0.2))
    assert costs.read_costs(tmp_path) == {"baseline": 100, "CDN": 200, "localised baseline": 100}
