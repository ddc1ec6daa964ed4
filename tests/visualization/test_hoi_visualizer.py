"""Pictures of pairs: what is drawn where, and what is left out."""

import numpy as np
import pytest
import torch
from PIL import Image

from hqm_mmdet.structures import HOIDataSample, new_pairs
from hqm_mmdet.visualization import HOIVisualizer, PairView, TripletSelection, draw_pair_attention, draw_pairs, sheet_of
from hqm_mmdet.visualization.drawing import MIN_SIDE, PALETTE, captioned
from hqm_mmdet.visualization.mining_view import draw_attention, draw_shift, grid
from hqm_mmdet.visualization.pair_views import describe, labelled_views, with_colours_of

META = dict(classes=("person", "cup"), verbs=("hold", "drink_from", "wave"), valid_pairs=[[0, 1], [0, 1], [0, 0]])


def grey(height=100, width=150):
    return np.full((height, width, 3), 127, np.uint8)


def visualizer():
    made = HOIVisualizer.get_instance("test_hoi_visualizer")
    made.dataset_meta = META
    return made


def sample(scores, labels=(1,)):
    boxes = torch.tensor([[10.0, 10.0, 60.0, 90.0]]).expand(len(labels), 4)
    made = HOIDataSample(metainfo=dict(img_path="a.png"))
    made.pred_pairs = new_pairs(
        boxes, boxes + 30, torch.tensor(labels, dtype=torch.long), verb_scores=torch.tensor(scores)
    )
    boxes, hois = [[10, 10, 60, 90], [70, 20, 90, 50]], [[0, 1, 0], [0, 1, 1], [0, -1, 2]]
    truth = dict(boxes=np.array(boxes), labels=np.array([0, 1]), hois=np.array(hois))
    made.set_metainfo(dict(gt_hois=truth))
    return made


def test_small_images_are_enlarged_and_boxes_land_in_place():
    drawn = draw_pairs(grey(), [PairView((15, 30, 60, 90), None, "wave")])
    assert drawn.shape[:2] == (MIN_SIDE, round(150 * MIN_SIDE / 100))
    factor = MIN_SIDE / 100
    row = drawn[round(75 * factor), :, :]
    columns = np.flatnonzero((row == PALETTE[0]).all(-1)) / factor
    assert abs(columns.min() - 15) < 2 and abs(columns.max() - 60) < 2


@pytest.mark.parametrize(
    "box", ((-50, -50, 500, 500), (5, 5, 5, 5), (90, 80, 10, 20)), ids=("outside", "a point", "upside down")
)
def test_strange_boxes_are_drawn_all_the_same(box):
    drawn = draw_pairs(grey(), [PairView(box, box, "hold cup")])
    assert (drawn != 127).any()


def test_labels_of_crowded_pairs_do_not_cover_each_other():
    views = [PairView((10, 40, 60, 90), None, f"verb {i}") for i in range(4)]
    drawn = draw_pairs(grey(), views)
    labels = [(drawn == colour).all(-1).sum() for colour in PALETTE[1:4]]  # the first pair's box hides the equal others
    assert min(labels) > 0.9 * max(labels) > 0


def test_ground_truth_beside_prediction():
    scored = sample([[0.9, 0.4, 0.8]])
    both = visualizer().add_datasample("x", grey(), scored)
    left = visualizer().add_datasample("x", grey(), scored, draw_pred=False)
    assert both.shape[1] == 2 * left.shape[1] + 8


def test_verbs_of_a_pair_share_a_view_and_the_absent_object_has_none():
    views = labelled_views(sample([[0.0] * 3]).gt_hois, META)
    assert [view.text for view in views] == ["hold cup\ndrink from cup", "wave"]
    assert views[1].obj_box is None


def test_prediction_shows_what_is_above_threshold_and_possible():
    (view,) = visualizer().predicted(sample([[0.9, 0.2, 0.8]]), TripletSelection(0.3))
    assert view.text == "hold cup 0.90"
    predicted = sample([[0.1, 0.2, 0.1], [0.1, 0.1, 0.7]], labels=(1, 2))
    views = visualizer().predicted(predicted, TripletSelection(0.3))
    assert [view.text for view in views] == ["wave 0.70"] and views[0].obj_box is None


def test_repeats_are_drawn_once_with_all_their_verbs():
    repeated = sample([[0.9, 0.1, 0.0], [0.2, 0.6, 0.0]], labels=(1, 1))
    (view,) = visualizer().predicted(repeated, TripletSelection(0.3))
    assert view.text == "hold cup 0.90\ndrink from cup 0.60"


def test_many_verbs_are_counted():
    assert describe(META, 1, range(3)) == "hold cup\ndrink from cup\nwave cup"
    names = dict(META, verbs=[f"v_{i}" for i in range(9)])
    assert describe(names, None, range(9), [0.5] * 9) == "v 0 0.50\nv 1 0.50\nv 2 0.50\nand 6 more"


def test_a_pair_keeps_its_colour_beside_the_ground_truth():
    truth = [PairView((0, 0, 10, 10), (20, 20, 30, 30), "", 0), PairView((50, 50, 60, 70), None, "", 1)]
    found = [
        PairView((50, 51, 60, 70), None, ""),
        PairView((0, 0, 10, 10), None, ""),
        PairView((0, 0, 10, 10), (20, 20, 30, 29), ""),
    ]
    assert [view.colour for view in with_colours_of(found, truth)] == [1, 2, 0]
    assert [view.colour for view in with_colours_of(found, [])] == [0, 1, 2]


def test_labels_leave_objects_free():
    object_above = PairView((40, 60, 90, 95), (40, 20, 90, 58), "hold cup", 0)
    drawn = draw_pairs(grey(), [object_above])
    factor = MIN_SIDE / 100
    inside = drawn[round(24 * factor) : round(54 * factor), round(44 * factor) : round(60 * factor)]
    assert (inside == PALETTE[0]).all(-1).mean() < 0.02  # nothing but the arrow


@pytest.mark.parametrize("shape", ((1, 1), (1, 5000), (5000, 2), (3000, 4000)), ids=str)
def test_pictures_of_any_size_can_be_looked_at(shape):
    drawn = draw_pairs(grey(*shape), [PairView((0, 0, shape[1], shape[0]), (0, 0, 1, 1), "hold cup")], "title")
    assert min(drawn.shape[:2]) >= 200 and max(drawn.shape[:2]) <= 2600


def test_attention_of_a_pair_has_a_cell_per_layer():
    view = PairView((15, 30, 60, 90), (70, 30, 90, 50), "hold cup 0.90")
    maps = {f"decoder layer {i + 1}": np.random.default_rng(i).random((4, 6)) for i in range(3)}
    sheet = sheet_of(draw_pair_attention(grey(), view, maps))
    assert sheet.shape[1] > 4 * 600
    assert sheet_of(draw_pair_attention(grey(), view, {"decoder layer 1": np.zeros((4, 6))})).shape[1] < sheet.shape[1]


def test_no_prediction_gives_the_image_with_its_title():
    empty = sample(torch.zeros(0, 3).tolist(), labels=())
    empty.pred_pairs.verb_scores = torch.zeros(0, 3)
    assert visualizer().add_datasample("x", grey(), empty).shape[0] > MIN_SIDE


def test_picture_is_written_and_a_bad_ending_is_refused(tmp_path):
    visualizer().add_datasample("x", grey(), sample([[0.9, 0.4, 0.8]]), out_file=str(tmp_path / "a" / "b.png"))
    assert Image.open(tmp_path / "a" / "b.png").size[0] > 150
    with pytest.raises(Exception, match="b.nothing|find a writer|extension"):
        visualizer().add_datasample("x", grey(), sample([[0.9, 0.4, 0.8]]), out_file=str(tmp_path / "b.nothing"))


def test_pictures_of_mining():
    image = grey(64, 96)
    assert (draw_shift(image, [(5, 5, 40, 50)], [(15, 10, 50, 60)], [0.5]) != image).any()
    weights = np.zeros((4, 6))
    weights[1, 2] = 1
    heat = draw_attention(image, weights)
    assert heat.shape == image.shape and heat[24, 40].sum() > heat[60, 90].sum()
    dotted = draw_attention(image, weights, dropped=np.eye(4, 6))
    assert (dotted[8, 8] == (0, 255, 120)).all()
    sheet = grid([[captioned(heat, "a"), captioned(heat, "b")], [captioned(heat, "c")]])
    assert sheet.shape[1] == 2 * (96 + 8)
