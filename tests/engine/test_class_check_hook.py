"""Head and data set must have the same classes; what does not say is left alone."""

from types import SimpleNamespace

import pytest
from torch import nn

from hqm_mmdet.engine import ClassCheckHook
from hqm_mmdet.errors import ClassMismatchError
from hqm_mmdet_cli.errors import is_user_error
from tests.models.tiny import NUM_CLASSES, NUM_VERBS, tiny_model


def check(model, classes=NUM_CLASSES, verbs=NUM_VERBS, moment="train", **metainfo):
    metainfo = dict(classes=["c"] * classes, verbs=["v"] * verbs, **metainfo)
    loader = SimpleNamespace(dataset=SimpleNamespace(metainfo=metainfo))
    getattr(ClassCheckHook(), f"before_{moment}")(SimpleNamespace(model=model, **{f"{moment}_dataloader": loader}))


@pytest.fixture(scope="module")
def model():
    return tiny_model()


@pytest.mark.parametrize("moment", ["train", "test"])
def test_sizes_that_fit(model, moment):
    check(model, moment=moment)
    check(model, classes=NUM_CLASSES - 1, moment=moment)  # the last class is "the pair has no object"


@pytest.mark.parametrize("moment", ["train", "test"])
@pytest.mark.parametrize("sizes", [(NUM_CLASSES + 1, NUM_VERBS), (NUM_CLASSES, NUM_VERBS + 1), (NUM_CLASSES, 1)])
def test_sizes_that_do_not_fit(model, sizes, moment):
    message = rf"{sizes[0]} object classes and {sizes[1]} verbs, but the head has .*num_verbs={sizes[1]}\."
    with pytest.raises(ClassMismatchError, match=message) as caught:
        check(model, *sizes, moment=moment)
    assert is_user_error(caught.value)


def test_models_and_data_of_others_are_left_alone(model):
    check(nn.Linear(1, 1))
    loader = SimpleNamespace(dataset=SimpleNamespace(metainfo={}))
    ClassCheckHook().before_train(SimpleNamespace(model=model, train_dataloader=loader))
