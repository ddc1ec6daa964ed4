"""Random judged candidates of every data set, and parts of them."""

from dataclasses import replace

import numpy as np
import pytest

from hqm_mmdet.evaluation.functional import (
    HOIA,
    PROTOCOLS,
    JudgedCandidates,
    TripletTable,
    judge_roles,
    judge_triplets,
    judge_verbs,
)
from tests.evaluation.cases import CODER, NUM_OBJECTS, random_images, tables
from tests.evaluation.test_vcoco import random_case
from tests.evaluation.vcoco_cases import ROLES, agent_table, oracle_images, persons_of

RULES = {**PROTOCOLS, "hoia": HOIA}


def random_triplets(name, seed, num_images=6):
    """Judged candidates by a protocol of HICO-DET, or by HOI-A's."""
    rng = np.random.default_rng(seed)
    gts, preds = random_images(rng, num_images)
    for pred in preds:
        _confuse(rng, pred)
    return judge_images(gts, preds, RULES[name])


def _confuse(rng, pred) -> None:
    """Some objects of the wrong class, some of another pair."""
    for p, obj in enumerate(pred["obj_ids"]):
        if rng.random() < 0.2:
            pred["labels"][obj] = int(rng.integers(NUM_OBJECTS))
        if rng.random() < 0.2:
            pred["obj_ids"][p] = int(rng.choice(pred["obj_ids"]))


def judge_images(gts, preds, protocol, partial=False):
    """Lists of images, see :func:`~tests.evaluation.cases.tables`; ``partial`` takes NaN scores as none."""
    preds, gts, num_boxes = tables(gts, preds, partial=partial)
    if protocol is HOIA:
        return judge_verbs(preds, gts, CODER)
    return judge_triplets(preds, gts, num_boxes, CODER, protocol)


def random_roles(seed, num_images=20):
    """Judged candidates of V-COCO; scores tie, some are NaN."""
    images, official = random_case(seed, num_images)
    agents = agent_table(official)
    if seed % 2:  # one box for all roles, as the detectors here predict
        agents = replace(agents, role_boxes=agents.role_boxes[:, :1])
    return judge_roles(agents, persons_of(oracle_images(images)), ROLES)


def all_cases(num_seeds=4):
    """One parameter per data set, protocol and seed: a function without arguments."""
    for seed in range(num_seeds):
        for name in RULES:
            yield pytest.param(lambda n=name, s=seed: random_triplets(n, s), id=f"{name}-{seed}")
        yield pytest.param(lambda s=seed: random_roles(s), id=f"vcoco-{seed}")


def distinct_scores(judged: JudgedCandidates) -> JudgedCandidates:
    """The same order, without ties."""
    scores = np.empty(len(judged.preds), np.float32)
    scores[np.argsort(-judged.preds.scores, kind="stable")] = np.linspace(1, 0, len(scores), dtype=np.float32)
    return replace(judged, preds=replace(judged.preds, scores=scores))


def take_images(judged: JudgedCandidates, images) -> tuple[JudgedCandidates, np.ndarray, np.ndarray]:
    """Those images in that order, numbered from 0, and the rows of candidates and ground truth that they have."""
    place = np.full(judged.preds.image.max(initial=0) + judged.gts.image.max(initial=0) + 1, -1)
    place[list(images)] = np.arange(len(images))

    def rows_of(table: TripletTable) -> np.ndarray:
        rows = np.flatnonzero(place[table.image] >= 0)
        return rows[np.argsort(place[table.image[rows]], kind="stable")]

    preds, gts = rows_of(judged.preds), rows_of(judged.gts)
    new_row = np.full(len(judged.preds) + 1, -1)
    new_row[preds] = np.arange(len(preds))
    part = replace(
        judged,
        preds=replace(judged.preds[preds], image=place[judged.preds.image[preds]]),
        gts=replace(judged.gts[gts], image=place[judged.gts.image[gts]]),
        pred_column=judged.pred_column[preds],
        gt_column=judged.gt_column[gts],
        is_tp=judged.is_tp[preds],
        taken_by=new_row[judged.taken_by[gts]],
        pair=None if judged.pair is None else judged.pair[preds],
    )
    return part, preds, gts
