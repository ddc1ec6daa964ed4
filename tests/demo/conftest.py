"""A tiny model with hostile names, in a session and behind a page."""

import io

import pytest

from hqm_mmdet.apis import HOIInferencer
from hqm_mmdet.demo import DemoSession, UploadLimits
from tests.apis.conftest import noise, tiny_checkpoint
from tests.apis.text_checkpoint import write_text_checkpoint

SCRIPT = "<script>alert(1)</script>"
META = dict(
    classes=("person", "cup", "<b>ball</b>", "dining_table"), verbs=("hold", SCRIPT, "sit_on", "${1+1}", "{{wave}}")
)


@pytest.fixture(scope="package")
def demo_checkpoint(tmp_path_factory):
    return tiny_checkpoint(tmp_path_factory, META)


@pytest.fixture(scope="package")
def demo_inferencer(demo_checkpoint):
    return HOIInferencer(demo_checkpoint, device="cpu", show_progress=False, merge_iou=None)


@pytest.fixture(scope="package")
def text_checkpoint(tmp_path_factory):
    return write_text_checkpoint(tmp_path_factory.mktemp("hoiclip"))


@pytest.fixture(scope="package")
def session(demo_inferencer):
    return DemoSession(demo_inferencer, UploadLimits(megabytes=1, megapixels=2))


def encoded(image=None, kind="PNG", **options) -> bytes:
    """An image file."""
    stream = io.BytesIO()
    (image or noise(90, 60)).save(stream, kind, **options)
    return stream.getvalue()


@pytest.fixture
def passes(demo_inferencer):
    """Counts how often the network runs."""
    count = []
    hook = demo_inferencer.model.backbone.register_forward_hook(lambda *_: count.append(1))
    yield count
    hook.remove()
