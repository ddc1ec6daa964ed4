"""HOIInferencer: inputs, outputs, and what it does with bad ones."""

import json

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from PIL import Image

from hqm_mmdet.apis import HOIInferencer
from hqm_mmdet.apis.inference.outputs import PredictionFile
from hqm_mmdet.apis.inference.sources import InputError
from hqm_mmdet.checkpoints import write_checkpoint as write_file
from hqm_mmdet.datasets.transforms import BadImageError
from hqm_mmdet.evaluation.offline import read_predictions
from hqm_mmdet.safe_loading import CheckpointError
from hqm_mmdet.structures import HOIDataSample
from hqm_mmdet.visualization import TripletSelection
from hqm_mmdet.visualization.selection import SelectionError
from tests.apis.conftest import META, inference_config, noise, write_checkpoint
from tests.models.tiny import NUM_QUERIES, tiny_model


def assert_same_pairs(a, b):
    for key in ("sub_bboxes", "obj_bboxes", "verb_scores", "obj_labels"):
        torch.testing.assert_close(a.pred_pairs[key], b.pred_pairs[key], rtol=1e-4, atol=1e-3)


def test_batches_equal_single_images(inferencer):
    images = [noise(60, 40, seed) for seed in range(5)]
    single, batched = list(inferencer.stream(images)), list(inferencer.stream(images, batch_size=2))
    for one, other in zip(single, batched, strict=True):
        assert len(one.sample.pred_pairs) == NUM_QUERIES
        assert_same_pairs(one.sample, other.sample)
    with pytest.raises(AssertionError):  # the images differ enough for the model
        assert_same_pairs(single[0].sample, single[1].sample)


def test_batches_of_different_sizes_are_nearly_equal(inferencer, folder):
    """Padding is masked in the transformer, but the backbone's convolutions see it at the image's border."""
    single, batched = list(inferencer.stream(folder)), list(inferencer.stream(folder, batch_size=3))
    assert [p.name for p in batched] == [p.name for p in single] == ["a.jpg", "b.png", "c.webp"]
    for one, other in zip(single, batched, strict=True):
        assert one.sample.ori_shape == other.sample.ori_shape
        torch.testing.assert_close(one.sample.pred_pairs.sub_bboxes, other.sample.pred_pairs.sub_bboxes, rtol=0, atol=2)


def test_path_array_and_pil_image_give_the_same(inferencer, folder):
    from_path, from_array, from_pil = inferencer.stream(
        [
            folder / "b.png",
            np.asarray(Image.open(folder / "b.png").convert("RGB"))[..., ::-1],
            Image.open(folder / "b.png"),
        ]
    )
    assert_same_pairs(from_path.sample, from_array.sample)
    assert_same_pairs(from_path.sample, from_pil.sample)


def test_equals_the_test_pipeline_of_the_config(inferencer, folder):
    """On an image without EXIF orientation, prediction is what testing computes."""
    data = Compose(inference_config().test_dataloader.dataset.pipeline)(dict(img_path=str(folder / "b.png")))
    tested = inferencer.model.test_step(pseudo_collate([data]))[0]
    (predicted,) = inferencer.stream(folder / "b.png")
    assert_same_pairs(predicted.sample, tested)


def test_boxes_lie_in_the_frame_of_the_image(inferencer):
    (large,) = inferencer.stream(noise(900, 600))
    assert large.sample.ori_shape == (600, 900)
    centres = large.sample.pred_pairs.sub_bboxes.view(-1, 2, 2).mean(1)
    assert (centres >= 0).all() and (centres <= torch.tensor([900.0, 600.0])).all() and centres.max() > 300


def test_results_and_files(inferencer, folder, tmp_path):
    out = tmp_path / "out"
    result = inferencer(folder, pred_score_thr=0.0, top_k=5, return_vis=True, out_dir=out)
    assert result["failures"] == [] and len(result["visualization"]) == 3
    assert sorted(path.name for path in (out / "pictures").iterdir()) == ["a.jpg", "b.png", "c.webp.jpg"]
    assert json.loads((out / "predictions.json").read_text()) == result["predictions"]
    for entry in result["predictions"]:
        assert len(entry["hoi_prediction"]) == 5
        scores = [hoi["score"] for hoi in entry["hoi_prediction"]]
        assert scores == sorted(scores, reverse=True)
        for hoi in entry["hoi_prediction"]:
            assert hoi["verb"] == META["verbs"][hoi["category_id"] - 1]
            assert entry["predictions"][hoi["subject_id"]]["category"] == "person"
            assert entry["predictions"][hoi["object_id"]]["category"] == hoi["object"]
    assert (result["predictions"][1]["width"], result["predictions"][1]["height"]) == (50, 70)


def test_json_is_a_prediction_file_for_offline_evaluation(inferencer, folder, tmp_path):
    inferencer(folder, pred_score_thr=0.0, top_k=4, out_dir=tmp_path, no_save_vis=True)
    metainfo = dict(META, category_ids=(1, 2, 3, 4), verb_ids=(1, 2, 3, 4, 5))
    read = list(read_predictions(tmp_path / "predictions.json", metainfo))
    assert len(read) == 3
    assert not (tmp_path / "pictures").exists()


def test_data_samples_hold_all_pairs(inferencer, folder):
    result = inferencer(folder / "a.jpg", pred_score_thr=1.0, return_datasamples=True)
    (sample,) = result["predictions"]
    assert isinstance(sample, HOIDataSample) and len(sample.pred_pairs) == NUM_QUERIES
    assert result["visualization"] == []


def test_nothing_found_is_a_result(inferencer, folder, tmp_path):
    result = inferencer(folder / "a.jpg", pred_score_thr=1.0, out_dir=tmp_path / "out")
    assert result["predictions"][0]["hoi_prediction"] == [] and result["predictions"][0]["predictions"] == []
    assert (tmp_path / "out" / "pictures" / "a.jpg").is_file()


def test_bad_image_is_skipped_and_listed(inferencer, folder):
    (folder / "bad.jpg").write_text("no image")
    result = inferencer(folder, batch_size=2)
    assert [entry["file_name"] for entry in result["predictions"]] == ["a.jpg", "b.png", "c.webp"]
    assert [failure["name"] for failure in result["failures"]] == ["bad.jpg"]
    assert "bad.jpg can't be read" in result["failures"][0]["reason"]
    with pytest.raises(BadImageError, match="bad.jpg"):
        inferencer(folder, on_bad_image="error")
    with pytest.raises(BadImageError, match="1 of 1 images could not be read.*bad.jpg"):
        inferencer(folder / "bad.jpg")
    with pytest.raises(ValueError, match="'skip' or 'error', got 'ignore'"):
        inferencer(folder, on_bad_image="ignore")


def test_missing_input_and_unknown_verb(inferencer, folder, tmp_path):
    with pytest.raises(InputError, match="none.jpg does not exist"):
        inferencer(tmp_path / "none.jpg")
    with pytest.raises(SelectionError, match="'ridee' is no verb.*ride"):
        inferencer(folder, verbs=["ridee"])


@pytest.mark.parametrize("size", ((1, 1), (1, 700), (700, 1), (4000, 3000)), ids=str)
def test_images_of_any_size(inferencer, size, tmp_path):
    result = inferencer(noise(*size), pred_score_thr=0.0, top_k=3, out_dir=tmp_path)
    assert len(result["predictions"][0]["hoi_prediction"]) == 3
    assert (tmp_path / "pictures" / "00000000.jpg").is_file()


def test_no_more_than_three_batches_are_in_memory(inferencer):
    read = []

    def images():
        for i in range(12):
            read.append(i)
            yield np.full((8, 8, 3), i, np.uint8)

    stream = inferencer.stream(images(), batch_size=2)
    assert next(stream).image[0, 0, 0] == 0 and len(read) <= 6
    assert [prediction.image[0, 0, 0] for prediction in stream] == list(range(1, 12))


def test_a_run_that_breaks_off_leaves_a_sound_file(tmp_path):
    with pytest.raises(KeyboardInterrupt), PredictionFile(tmp_path / "p.json") as file:
        file.write(dict(a=1))
        file.write(dict(a=2))
        raise KeyboardInterrupt
    assert json.loads((tmp_path / "p.json").read_text()) == [dict(a=1), dict(a=2)]
    assert [path.name for path in tmp_path.iterdir()] == ["p.json"]


def test_repeats_are_merged_unless_told_otherwise(checkpoint, inferencer, folder):
    merging = HOIInferencer(weights=checkpoint, device="cpu", show_progress=False, merge_iou=0.01)
    (merged,), (all_pairs,) = merging.stream(folder / "a.jpg"), inferencer.stream(folder / "a.jpg")
    assert len(merged.sample.pred_pairs) < len(all_pairs.sample.pred_pairs)
    torch.testing.assert_close(
        merged.sample.pred_pairs.verb_scores.amax(0), all_pairs.sample.pred_pairs.verb_scores.amax(0)
    )


def test_config_and_checkpoint_apart(tmp_path, folder, inferencer):
    bare = write_checkpoint(tmp_path / "bare.pth", tiny_model(seed=1))
    inference_config().dump(tmp_path / "config.py")
    for config in (str(tmp_path / "config.py"), inference_config(), inference_config().to_dict()):
        given = HOIInferencer(config, bare, "cpu", show_progress=False, merge_iou=None)
        assert given.model.dataset_meta["verbs"] == META["verbs"]  # from the config's data set
        assert_same_pairs(next(given.stream(folder / "a.jpg")).sample, next(inferencer.stream(folder / "a.jpg")).sample)
    with pytest.raises(CheckpointError, match="bare.pth holds no config. Give the config file"):
        HOIInferencer(bare)


def test_models_that_do_not_fit_are_named(tmp_path, checkpoint):
    config = inference_config()
    config.model.bbox_head.num_verbs = 9
    with pytest.raises(CheckpointError, match=r"tiny.pth does not fit.*num_verbs"):
        HOIInferencer(config, checkpoint)
    few = write_checkpoint(
        tmp_path / "few.pth", tiny_model(), inference_config(), dataset_meta=dict(META, verbs=("a",))
    )
    with pytest.raises(CheckpointError, match="predicts 4 object classes and 5 verbs, but 4 and 1 are named"):
        HOIInferencer(few)
    with pytest.raises(FileNotFoundError, match="none.py"):
        HOIInferencer("none.py", checkpoint)
    with pytest.raises(FileNotFoundError, match="none.pth"):
        HOIInferencer("none.pth")
    with pytest.raises(ValueError, match="Give a config and a checkpoint"):
        HOIInferencer()


def test_config_without_loading_step(checkpoint):
    config = inference_config()
    config.test_dataloader.dataset.pipeline = [dict(type="PackHOIInputs")]
    with pytest.raises(ValueError, match="begin with LoadHOIImage, but begins with PackHOIInputs"):
        HOIInferencer(config, checkpoint)
    config.pop("test_dataloader")
    with pytest.raises(ValueError, match="begins with nothing"):
        HOIInferencer(config, checkpoint)


def test_numbers_stand_for_unknown_names(tmp_path, folder):
    config = Config(dict(model=inference_config().model))
    config.test_dataloader = dict(dataset=dict(pipeline=inference_config().test_dataloader.dataset.pipeline))
    bare = write_checkpoint(tmp_path / "bare.pth", tiny_model())
    named = HOIInferencer(config, bare, "cpu", show_progress=False)
    assert named.model.dataset_meta["verbs"][3] == "verb 3"
    assert named.model.dataset_meta["classes"][0] == "object 0"


def test_selected_pairs_of_a_sample(inferencer, folder):
    (prediction,) = inferencer.stream(folder / "a.jpg")
    shown = inferencer.show(prediction.sample, TripletSelection(0.0, verbs=("ride",)))
    assert len(shown) == NUM_QUERIES and all(pair.verbs == (3,) for pair in shown)


def test_safetensors_with_its_config_needs_nothing_else(tmp_path, folder, inferencer):
    meta = dict(cfg=inference_config().pretty_text, dataset_meta=META)
    write_file(tmp_path / "tiny.safetensors", tiny_model(seed=1).state_dict(), meta)
    published = HOIInferencer(tmp_path / "tiny.safetensors", device="cpu", show_progress=False, merge_iou=None)
    assert_same_pairs(next(published.stream(folder / "a.jpg")).sample, next(inferencer.stream(folder / "a.jpg")).sample)
