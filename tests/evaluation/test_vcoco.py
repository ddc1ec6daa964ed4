"""V-COCO arithmetic: official answers, the loop oracle, and what must hold for any input."""

import json
from dataclasses import replace

import numpy as np
import pytest

from hqm_mmdet.evaluation.functional import (
    AgentTable,
    VCOCORoles,
    agents_from_pairs,
    official_boxes,
    persons_from_hois,
    rank_vcoco,
    stack_tables,
)
from hqm_mmdet.evaluation.vcoco_files import read_vcoco
from tests.evaluation import oracle_vcoco
from tests.evaluation.reference_data import load_simulator, read_json
from tests.evaluation.vcoco_cases import (
    ACTIONS,
    ROLES,
    VERBS,
    agent_table,
    official_files,
    official_pickle,
    oracle_detections,
    oracle_images,
    select_images,
)

CASE_FILES = ("edge_cases_vcoco.json", "random_small_cases_vcoco.json")
SCENARIOS = (("role_s1", "scenario_1"), ("role_s2", "scenario_2"))


def read_case_files(folder, images):
    labels, instances = official_files(images)
    (folder / "vcoco.json").write_text(json.dumps(labels))
    (folder / "instances.json").write_text(json.dumps(instances))
    return read_vcoco(str(folder / "vcoco.json"), str(folder / "instances.json"), ROLES)


def tables_of(agents, persons):
    return rank_vcoco(agents, persons, ROLES).tables()


# ---- official answers


@pytest.mark.parity
@pytest.mark.parametrize("name", CASE_FILES)
def test_cases(name, reference_dir, tmp_path):
    compared = 0
    for case in read_json(reference_dir / "evaluation" / name)["cases"]:
        answer = case["answers"]["official"]
        if "error" in answer:
            continue  # test_image_without_person
        truth = read_case_files(tmp_path, case["images"])
        ranked = rank_vcoco(agent_table(official_pickle(case["detections"])), truth.persons, ROLES)
        ours = ranked.tables()
        for key, official in SCENARIOS:
            by_role = dict(zip(ROLES.roles, ours[key], strict=True))
            assert {r: by_role[r] for r in answer[official]} == pytest.approx(answer[official], abs=1e-6), case["name"]
            mean = ranked.means(ours)[f"{key}_25"]
            assert mean == pytest.approx(answer[f"{official}_mean_all_25_roles"], abs=1e-6), case["name"]
        by_action = dict(zip(ROLES.actions, ours["agent"], strict=True))
        assert {a: by_action[a] for a in answer["agent"]} == pytest.approx(answer["agent"], abs=1e-6), case["name"]
        npos = (truth.persons.actions).sum(0)
        assert {a: npos[ROLES.actions.index(a)] for a in answer["npos"]} == answer["npos"], case["name"]
        compared += 1
    assert compared


@pytest.mark.parity
def test_image_without_person(reference_dir, tmp_path):
    """The official script stops; here its detections are false positives."""
    cases = read_json(reference_dir / "evaluation" / CASE_FILES[0])["cases"]
    case = next(c for c in cases if "error" in c["answers"]["official"])
    assert case["name"] == "image_without_person" and "argmax of an empty" in case["answers"]["official"]["error"]
    truth = read_case_files(tmp_path, case["images"])  # image 0 has no label: it is not in the files
    persons = replace(truth.persons, image=truth.persons.image + 1)
    detections = official_pickle(case["detections"])
    ours = dict(zip(ROLES.roles, tables_of(agent_table(detections), persons)["role_s1"], strict=True))
    assert ours["sit_instr"] == pytest.approx(2 / 3)  # order FP, TP, TP: precision 2/3 at both recalls
    expected = oracle_vcoco.evaluate(oracle_images(case["images"]), oracle_detections(detections, 3), ACTIONS)
    assert ours == pytest.approx(expected["role_s1"], abs=1e-9)


class RealSet:
    """Recovered V-COCO images with simulated predictions."""

    def __init__(self, name, reference_dir, data_dir):
        reference = read_json(reference_dir / "evaluation" / f"{name}.json")
        self.answers, meta = reference["results"], reference["meta"]
        folder, simulator = data_dir / "v_coco", load_simulator(data_dir)
        split = "vcoco_train_recovered"
        self.truth = read_vcoco(
            str(folder / f"{split}.json.gz"), str(folder / "instances_vcoco_recovered.json.gz"), ROLES
        )
        annotations = read_json(folder / f"{split}_hoia.json.gz")
        indices = simulator.select(len(annotations), meta.get("every") or 1, meta.get("limit"))
        self.mask = np.concatenate([np.load(folder / "corre_vcoco_from_prior_rules.npy"), np.ones((29, 1))], 1).T
        simulated = list(simulator.simulate(annotations, "vcoco", meta["seed"], meta["settings"], indices))
        position = {p: n for n, p in enumerate(indices)}
        self.persons = select_images(self.truth.persons, position)
        self.hoia = [(annotations[i], simulator) for i in indices]
        self.pairs = [p for _, p in simulated]

    def agents(self, mask=None):
        return stack_tables([agents_of(p, mask) for p in self.pairs])


def agents_of(p, mask=None):
    sub, obj, labels = p["boxes"][p["sub_ids"]], p["boxes"][p["obj_ids"]], p["labels"][p["obj_ids"]]
    scores = p["verb_scores"] if mask is None else p["verb_scores"] * mask[labels].astype(np.float32)
    return agents_from_pairs(sub, obj, labels != 80, scores, ROLES)


@pytest.fixture(scope="module", params=["vcoco_train_subset200", "vcoco_train_full"])
def real_set(request, reference_dir, data_dir):
    return RealSet(request.param, reference_dir, data_dir)


@pytest.mark.parity
def test_real_set(real_set):
    ranked = rank_vcoco(real_set.agents(), real_set.persons, ROLES)
    ours, answer = ranked.tables(), real_set.answers["official"]
    means = ranked.means(ours)
    for key, official in SCENARIOS:
        roles = answer[official]["roles"]
        expected = [roles[role]["ap"] for role in ROLES.roles]
        np.testing.assert_allclose(ours[key], expected, rtol=0, atol=1e-6)
        assert [len(c.tp_rank) for c in getattr(ranked, key)] == [roles[r]["num_tp"] for r in ROLES.roles]
        assert [len(c.image) for c in getattr(ranked, key)] == [roles[r]["num_scored"] for r in ROLES.roles]
        assert means[key] == pytest.approx(answer[official]["average_role_ap_without_point"], abs=1e-6)
        assert means[f"{key}_25"] == pytest.approx(answer[official]["average_role_ap"], abs=1e-6)
    expected = [answer["agent"]["actions"][action]["ap"] for action in ROLES.actions]
    np.testing.assert_allclose(ours["agent"], expected, rtol=0, atol=1e-6)
    assert means["agent"] == pytest.approx(answer["agent"]["average_agent_ap"], abs=1e-6)


@pytest.mark.parity
def test_real_set_masked(real_set):
    """Masked scores tie at 0, so the official number depends on an unstable sort: it lies between two orders."""
    ranked = rank_vcoco(real_set.agents(real_set.mask), real_set.persons, ROLES)
    ours, answer = ranked.tables(), real_set.answers["official_masked"]
    for key, official in SCENARIOS:
        roles = [answer[official]["roles"][role] for role in ROLES.roles]
        assert (ours[key] >= np.array([r["ap_worst_tie_order"] for r in roles]) - 1e-6).all()
        assert (ours[key] <= np.array([r["ap_best_tie_order"] for r in roles]) + 1e-6).all()
        assert ranked.means(ours)[f"{key}_25"] == pytest.approx(answer[official]["average_role_ap"], abs=1e-3)


@pytest.mark.parity
def test_hoia_style_annotations_give_nearly_the_same(real_set):
    """They do not tell who was labelled without any action; on these images that changes next to nothing."""
    persons = []
    for annotation, simulator in real_set.hoia:
        labels = [simulator.COCO_IDS.index(a["category_id"]) for a in annotation["annotations"]]
        hois = [[h["subject_id"], h["object_id"], h["category_id"]] for h in annotation["hoi_annotation"]]
        persons.append(persons_from_hois([a["bbox"] for a in annotation["annotations"]], labels, hois, ROLES))
    official = rank_vcoco(real_set.agents(), real_set.persons, ROLES)
    derived = rank_vcoco(real_set.agents(), stack_tables(persons), ROLES)
    assert derived.means(derived.tables()) == pytest.approx(official.means(official.tables()), abs=1e-3)


# ---- the loop oracle, and properties


def random_case(seed, num_images=4):
    """Images and official detections; boxes overlap, scores tie, some are NaN."""
    rng = np.random.default_rng(seed)
    images, official = [], []
    for i in range(num_images):
        boxes = [[1 if j < 3 else 62, box] for j, box in enumerate(random_boxes(rng, 5))]
        persons = {str(j): random_actions(rng) for j in range(3) if rng.random() < 0.7}
        images.append(dict(boxes=boxes, persons=persons))
        near = [b for _, b in boxes]
        for _ in range(rng.integers(0, 7)):
            official.append(random_detection(rng, i + 1, near))
    return images, official


def random_boxes(rng, number):
    return np.concatenate([rng.integers(0, 80, (number, 2)), rng.integers(30, 90, (number, 2))], 1).tolist()


def random_actions(rng):
    chosen = [a for a in ACTIONS if rng.random() < 0.3]
    return {a: {r: None if rng.random() < 0.4 else int(rng.integers(0, 5)) for r in ACTIONS[a]} for a in chosen}


def random_detection(rng, image_id, near):
    def box():
        x, y, w, h = (np.array(near[rng.integers(len(near))]) + rng.integers(-9, 10, 4)).tolist()
        return [x, y, x + w, y + h]

    detection = dict(image_id=image_id, person_box=box())
    for action, roles in ACTIONS.items():
        detection[f"{action}_agent"] = score(rng)
        for role in roles:
            kind = rng.random()
            empty = [float("nan")] * 4 if kind < 0.2 else [0] * 4
            detection[f"{action}_{role}"] = [*(box() if kind > 0.3 else empty), score(rng)]
    return detection


def score(rng):
    return float("nan") if rng.random() < 0.1 else float(rng.integers(0, 12)) / 16


@pytest.mark.parametrize("seed", range(8))
def test_equals_loop_oracle(seed, tmp_path):
    images, official = random_case(seed)
    images = [dict(i, persons=i["persons"] or {"0": {}}) for i in images]  # files can't name an image without label
    truth = read_case_files(tmp_path, images)
    ours = tables_of(agent_table(official), truth.persons)
    theirs = oracle_vcoco.evaluate(oracle_images(images), oracle_detections(official, len(images)), ACTIONS)
    for key, names in (("agent", ROLES.actions), ("role_s1", ROLES.roles), ("role_s2", ROLES.roles)):
        mine = dict(zip(names, ours[key].tolist(), strict=True))
        assert mine == pytest.approx(theirs[key], abs=1e-12, nan_ok=True)
    assert np.nanmax(ours["agent"]) > 0.05


def test_order_of_detections_does_not_matter_without_ties(tmp_path):
    images, official = random_case(1)
    rng = np.random.default_rng(0)
    for n, detection in enumerate(official):  # scores all different
        for role in ROLES.roles:
            detection[role][4] = rng.random()
        for action in ACTIONS:
            detection[f"{action}_agent"] = rng.random() + n * 1e-9
    persons = read_case_files(tmp_path, images).persons
    before = tables_of(agent_table(official), persons)
    after = tables_of(agent_table([official[i] for i in rng.permutation(len(official))]), persons)
    for key, values in before.items():
        np.testing.assert_allclose(after[key], values, rtol=0, atol=1e-12)


def test_scenario_2_is_never_below_scenario_1(tmp_path):
    for seed in range(4):
        images, official = random_case(seed)
        ours = tables_of(agent_table(official), read_case_files(tmp_path, images).persons)
        assert (np.nan_to_num(ours["role_s2_recall"]) >= np.nan_to_num(ours["role_s1_recall"])).all()


def test_class_without_positive_is_left_out_of_the_mean(tmp_path):
    """The official script divides by zero there and stops."""
    image = dict(boxes=[[1, [10, 10, 100, 200]], [62, [60, 100, 80, 80]]], persons={"0": {"sit": {"instr": 1}}})
    truth = read_case_files(tmp_path, [image])
    agents = AgentTable(
        np.zeros(1, int),
        np.array([[10, 10, 109, 209]], np.float32),
        np.full((1, 26), 0.5, np.float32),
        np.array([[[60, 100, 139, 179]]], np.float32),
        np.full((1, 25), 0.5, np.float32),
    )
    ranked = rank_vcoco(agents, truth.persons, ROLES)
    tables = ranked.tables()
    assert np.isnan(tables["role_s1"]).sum() == 24 and np.isnan(tables["agent"]).sum() == 25
    assert ranked.means(tables) == dict(role_s1=1, role_s2=1, agent=1, role_s1_25=1, role_s2_25=1)


def test_no_detection_scores_zero(tmp_path):
    image = dict(boxes=[[1, [10, 10, 100, 200]]], persons={"0": {"sit": {"instr": None}, "run": {}}})
    truth = read_case_files(tmp_path, [image])
    nothing = agents_from_pairs(np.zeros((0, 4)), np.zeros((0, 4)), np.zeros(0, bool), np.zeros((0, 29)), ROLES)
    ranked = rank_vcoco(nothing, truth.persons, ROLES)
    assert ranked.means(ranked.tables()) == dict(role_s1=0, role_s2=0, agent=0, role_s1_25=0, role_s2_25=0)


def test_resample_equals_evaluating_the_images_as_often(tmp_path):
    images, official = random_case(5)
    images = [dict(i, persons=i["persons"] or {"0": {}}) for i in images]
    rng = np.random.default_rng(1)
    for detection in official:
        for role in ROLES.roles:
            detection[role][4] = rng.random()
    weights = np.array([2, 0, 1, 1])
    truth = read_case_files(tmp_path, images)
    weighted = rank_vcoco(agent_table(official), truth.persons, ROLES).tables(weights)
    # The repeated image scores a hair less, so that its copies follow each other.
    order = np.repeat(np.arange(4), weights)
    repeated = []
    for place, i in enumerate(order, start=1):
        for d in official:
            if d["image_id"] == i + 1:
                roles = {r: [*d[r][:4], d[r][4] * (1 - 1e-6 * (place == 2))] for r in ROLES.roles}
                repeated.append({**d, **roles, "image_id": place})
    persons = read_case_files(tmp_path, [images[i] for i in order]).persons
    expected = tables_of(agent_table(repeated), persons)
    np.testing.assert_allclose(weighted["role_s1_recall"], expected["role_s1_recall"])
    np.testing.assert_allclose(weighted["role_s2"], expected["role_s2"], atol=0.02)


# ---- names, boxes, HOIA-style annotations


def test_names():
    assert VERBS[:4] == ("hold_obj", "stand", "sit_instr", "ride_instr") and len(VERBS) == 29
    assert (len(ROLES.actions), len(ROLES.roles), ROLES.published.sum()) == (26, 25, 24)
    assert ROLES.actions == tuple(ACTIONS)
    assert not ROLES.published[ROLES.roles.index("point_instr")]
    scores = np.arange(29, dtype=np.float32)[None]
    agent = ROLES.agent_scores(scores)[0]
    assert agent[ROLES.actions.index("hit")] == VERBS.index("hit_obj")
    assert agent[ROLES.actions.index("walk")] == VERBS.index("walk")


def test_official_boxes_lose_a_pixel_and_are_clipped():
    boxes = official_boxes(np.array([[600, 400, 100, 120], [5, 5, 0.5, 10]]), (480, 640))
    assert boxes.tolist() == [[600, 400, 639, 479], [5, 5, 5, 14]]


def test_persons_of_hoia_style_annotations():
    boxes = [[0, 0, 10, 20], [5, 5, 9, 9], [30, 0, 40, 20]]
    hois = [[0, 1, VERBS.index("cut_obj")], [0, -1, VERBS.index("cut_instr")], [0, -1, VERBS.index("run")]]
    persons = persons_from_hois(boxes, [0, 50, 0], hois, ROLES)
    assert persons.boxes.tolist() == [[0, 0, 9, 19], [30, 0, 39, 19]]
    assert persons.labelled.tolist() == [True, False]
    assert [ROLES.actions[a] for a in np.flatnonzero(persons.actions[0])] == ["cut", "run"]
    assert persons.role_boxes[0, ROLES.roles.index("cut_obj")].tolist() == [5, 5, 8, 8]
    assert np.isnan(persons.role_boxes[0, ROLES.roles.index("cut_instr")]).all()


def test_two_objects_in_one_role_are_refused():
    hois = [[0, 1, 0], [0, 2, 0]]
    with pytest.raises(ValueError, match=r"'a\.jpg': person 0 has 2 objects in the role 'hold_obj'"):
        persons_from_hois(np.ones((3, 4)), [0, 1, 1], hois, ROLES, image="a.jpg")
    assert len(persons_from_hois(np.ones((3, 4)), [0, 1, 1], [[0, 1, 0]] * 2, ROLES).boxes) == 1


def test_index_out_of_range_names_image_and_entry():
    with pytest.raises(ValueError, match=r"'a\.jpg': HOI 1"):
        persons_from_hois(np.zeros((2, 4)), [0, 1], [[0, 1, 0], [0, 2, 0]], ROLES, image="a.jpg")


def test_nan_verb_score_is_no_detection():
    roles = VCOCORoles(("cut_instr", "cut_obj", "run"))
    boxes = np.ones((2, 4))
    scores = np.array([[np.nan, 0.5, np.nan], [np.nan] * 3])
    agents = agents_from_pairs(boxes, boxes, np.array([True, False]), scores, roles)
    assert agents.agent_scores[0, 0] == 0.5 and np.isnan(agents.agent_scores[0, 1])
    assert np.isnan(agents.agent_scores[1]).all()
    assert np.isnan(agents.role_boxes[1]).all() and agents.role_boxes[0, 0].tolist() == [1] * 4
