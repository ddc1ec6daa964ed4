"""The share of the model in ``predict`` is measured, whatever it is."""

from benchmarks.predict_folder import measure


def test_the_model_is_a_part_of_the_whole():
    found = measure("configs/qpic_toy.py", images=3, batch_size=2)
    assert 0 < found["model"] < found["whole"]
    assert abs(found["share"] * found["whole"] - found["model"]) < 1e-9
