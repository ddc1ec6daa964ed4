"""V-COCO cases of the reference folder as official files and as tables."""

import numpy as np

from hqm_mmdet.evaluation.functional import AgentTable, PersonTable, VCOCORoles

ACTIONS = {
    "hold": ["obj"],
    "stand": [],
    "sit": ["instr"],
    "ride": ["instr"],
    "walk": [],
    "look": ["obj"],
    "hit": ["instr", "obj"],
    "eat": ["obj", "instr"],
    "jump": ["instr"],
    "lay": ["instr"],
    "talk_on_phone": ["instr"],
    "carry": ["obj"],
    "throw": ["obj"],
    "catch": ["obj"],
    "cut": ["instr", "obj"],
    "run": [],
    "work_on_computer": ["instr"],
    "ski": ["instr"],
    "surf": ["instr"],
    "skateboard": ["instr"],
    "smile": [],
    "drink": ["instr"],
    "kick": ["obj"],
    "point": ["instr"],
    "read": ["obj"],
    "snowboard": ["instr"],
}
VERBS = tuple(f"{a}_{r}" if r else a for a, roles in ACTIONS.items() for r in roles or [""])
ROLES = VCOCORoles(VERBS)
SIZE = dict(width=640, height=480)


def official_files(images):
    """Images of a case -> content of ``vcoco_*.json`` and of the COCO instances file."""
    instances = dict(images=[], annotations=[])
    labels = [
        dict(action_name=a, role_name=["agent", *r], image_id=[], ann_id=[], label=[], role_object_id=[])
        for a, r in ACTIONS.items()
    ]
    rows = {a: [] for a in ACTIONS}
    for i, image in enumerate(images, start=1):
        instances["images"].append(dict(id=i, file_name=f"COCO_val2014_{i:012d}.jpg", **SIZE))
        for j, (category, box) in enumerate(image["boxes"]):
            area = box[2] * box[3]
            ann = dict(id=100 * i + j, image_id=i, category_id=category, bbox=box, area=area, iscrowd=0)
            instances["annotations"].append(ann)
        for person, actions in image["persons"].items():
            ann_id = 100 * i + int(person)
            for entry in labels:
                name, roles = entry["action_name"], entry["role_name"][1:]
                objects = [actions.get(name, {}).get(role) for role in roles]
                entry["image_id"].append(i)
                entry["ann_id"].append(ann_id)
                entry["label"].append(int(name in actions))
                rows[name].append([ann_id, *(0 if o is None else 100 * i + o for o in objects)])
    for entry in labels:
        entry["role_object_id"] = [row[k] for k in range(len(entry["role_name"])) for row in rows[entry["action_name"]]]
    return labels, instances


def official_pickle(detections):
    """Detections of a case as ``vsrl_eval.py`` reads them; what a case leaves out is NaN."""
    found = []
    for detection in detections:
        row = dict(image_id=detection["image"] + 1, person_box=detection["person_box"])
        for action, roles in ACTIONS.items():
            row[f"{action}_agent"] = _number(detection["scores"].get(f"{action}_agent"))
            for role in roles:
                values = detection["scores"].get(f"{action}_{role}", [None] * 5)
                row[f"{action}_{role}"] = [_number(v) for v in values]
        found.append(row)
    return found


def agent_table(official):
    """Official detections -> table with the image id - 1 as image; written for the tests, shares no code."""
    roles = np.array([[d[role] for role in ROLES.roles] for d in official], np.float32).reshape(-1, 25, 5)
    return AgentTable(
        np.array([d["image_id"] - 1 for d in official], np.int64),
        np.array([d["person_box"] for d in official], np.float32).reshape(-1, 4),
        np.array([[d[f"{a}_agent"] for a in ACTIONS] for d in official], np.float32).reshape(-1, 26),
        roles[:, :, :4],
        roles[:, :, 4],
    )


def oracle_images(images):
    """Images of a case in the loop oracle's format."""

    def xyxy(box):
        x, y, w, h = box
        corners = [x, y, x + max(w - 1, 0), y + max(h - 1, 0)]
        return [min(max(c, 0), limit) for c, limit in zip(corners, [639, 479, 639, 479], strict=True)]

    result = []
    for image in images:
        persons = []
        for j, (category, box) in enumerate(image["boxes"]):
            if category != 1:
                continue
            actions = {
                name: {role: None if o is None else xyxy(image["boxes"][o][1]) for role, o in roles.items()}
                for name, roles in image["persons"].get(str(j), {}).items()
            }
            persons.append(dict(box=xyxy(box), labelled=str(j) in image["persons"], actions=actions))
        result.append(dict(persons=persons))
    return result


def persons_of(images):
    """Images in the loop oracle's format -> table; shares no code with the readers."""
    rows = [(i, p) for i, image in enumerate(images) for p in image["persons"]]
    role_boxes = np.full((len(rows), 25, 4), np.nan, np.float32)
    for n, (_, person) in enumerate(rows):
        for action, roles in person["actions"].items():
            for role, box in roles.items():
                if box is not None:
                    role_boxes[n, ROLES.roles.index(f"{action}_{role}")] = box
    return PersonTable(
        np.array([i for i, _ in rows], int),
        np.array([p["box"] for _, p in rows], np.float32).reshape(-1, 4),
        np.array([p["labelled"] for _, p in rows], bool),
        np.array([[a in p["actions"] for a in ACTIONS] for _, p in rows], bool).reshape(-1, 26),
        role_boxes,
    )


def oracle_detections(official, num_images):
    """Official detections in the loop oracle's format."""
    result = [[] for _ in range(num_images)]
    for d in official:
        roles = {role: (d[role][:4], d[role][4]) for role in ROLES.roles}
        agent = {a: d[f"{a}_agent"] for a in ACTIONS}
        result[d["image_id"] - 1].append(dict(box=d["person_box"], agent=agent, roles=roles))
    return result


def select_images(table, position):
    """Rows of a table that belong to the images in ``position``, {old index: new index}."""
    rows = np.flatnonzero(np.isin(table.image, list(position)))
    columns = {name: getattr(table, name)[rows] for name in table.__dataclass_fields__}
    columns["image"] = np.array([position[i] for i in columns["image"].tolist()])
    return type(table)(**columns)


def persons_as_oracle(persons, num_images, roles=ROLES):
    """A PersonTable in the loop oracle's format."""
    images = [dict(persons=[]) for _ in range(num_images)]
    for n, image in enumerate(persons.image.tolist()):
        actions = {roles.actions[a]: {} for a in np.flatnonzero(persons.actions[n])}
        for role, box in zip(roles.roles, persons.role_boxes[n].tolist(), strict=True):
            action, name = role.rsplit("_", 1)
            if action in actions and not np.isnan(box[0]):
                actions[action][name] = box
        person = dict(box=persons.boxes[n].tolist(), labelled=bool(persons.labelled[n]), actions=actions)
        images[image]["persons"].append(person)
    return images


def pairs_as_oracle(p, roles=ROLES):
    """A simulated prediction in the loop oracle's format, as QPIC's exporter makes it."""
    found, boxes = [], p["boxes"].tolist()
    for sub, obj, scores in zip(p["sub_ids"], p["obj_ids"], p["verb_scores"].tolist(), strict=True):
        box = [float("nan")] * 4 if p["labels"][obj] == 80 else boxes[obj]
        by_role, by_action = {}, {}
        for verb, score in zip(roles.verbs, scores, strict=True):
            action = verb.rsplit("_", 1)[0] if verb in roles.roles else verb
            by_action[action] = max(score, by_action.get(action, score))
            if verb in roles.roles:
                by_role[verb] = (box, score)
        found.append(dict(box=boxes[sub], agent=by_action, roles=by_role))
    return found


def _number(value):
    return float("nan") if value is None else value
