"""Weights come out the same, whatever file they came in; nothing in a file is run."""

import io
import pickle
import zipfile

import pytest
import torch
from safetensors.torch import save_file

from hqm_mmdet.models.clip import CLIP, CLIPSize, read_clip
from hqm_mmdet.models.clip.torchscript import is_torchscript
from hqm_mmdet.safe_loading import CheckpointError
from tests.models.clip.small_clip import SIZE, hugging_face_names, small_clip

pytestmark = pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning", "ignore::DeprecationWarning")


class Archived(torch.nn.Module):
    """What OpenAI archived: both towers traced, and some numbers as tensors."""

    def __init__(self, clip):
        super().__init__()
        for name, child in clip.named_children():
            setattr(self, name, child)
        for name in ("positional_embedding", "text_projection", "logit_scale"):
            setattr(self, name, getattr(clip, name))
        self.register_buffer("input_resolution", torch.tensor(SIZE.image_size))
        self.register_buffer("context_length", torch.tensor(SIZE.context_length))
        self.register_buffer("vocab_size", torch.tensor(SIZE.vocab_size))

    def forward(self, images, tokens):
        numbers = self.input_resolution + self.context_length + self.vocab_size
        return self.visual.embed(images), CLIP.encode_text(self, tokens) * self.logit_scale + 0 * numbers


@pytest.fixture
def clip():
    return small_clip()


def openai_archive(clip, path):
    example = torch.zeros(1, 3, SIZE.image_size, SIZE.image_size), torch.tensor([[49406, 320, 49407]])
    torch.jit.save(torch.jit.trace(Archived(clip), example, check_trace=False), path)


def hugging_face_folder(clip, path):
    path.mkdir()
    save_file(hugging_face_names(clip.state_dict()), path / "model.safetensors")


def hugging_face_bin(clip, path):
    path.mkdir()
    positions = {"text_model.embeddings.position_ids": torch.arange(SIZE.context_length)[None]}
    torch.save(hugging_face_names(clip.state_dict()) | positions, path / "pytorch_model.bin")


def hoiclip_checkpoint(clip, path):
    state = {f"clip_model.{name}": value for name, value in clip.state_dict().items()}
    torch.save({"model": {**state, "query_embed_h.weight": torch.zeros(2, 3)}, "epoch": 89}, path)


def state_dict_file(clip, path):
    torch.save(clip.state_dict(), path)


@pytest.mark.parametrize(
    "write", (openai_archive, hugging_face_folder, hugging_face_bin, hoiclip_checkpoint, state_dict_file)
)
def test_all_files_give_the_same_model(clip, tmp_path, write):
    write(clip, tmp_path / "clip")
    state = read_clip(tmp_path / "clip")
    assert set(state) == set(clip.state_dict())
    for name, value in clip.state_dict().items():
        assert torch.equal(state[name], value), name
    assert CLIPSize.of_state(state) == SIZE
    tokens = torch.tensor([[49406, 320, 1125, 49407]])
    assert torch.equal(CLIP.of_state(state).encode_text(tokens), clip.encode_text(tokens))


def test_half_precision_becomes_float32(clip, tmp_path):
    torch.save({name: value.half() for name, value in clip.state_dict().items()}, tmp_path / "clip.pt")
    assert {value.dtype for value in read_clip(tmp_path / "clip.pt").values()} == {torch.float32}


def test_a_missing_file_says_what_is_expected(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"ViT-B-32.pt.*model.safetensors.*Nothing is downloaded"):
        read_clip(tmp_path / "ViT-B-32.pt")
    with pytest.raises(FileNotFoundError, match="model.safetensors"):
        read_clip(tmp_path)


def test_another_model_is_refused(tmp_path):
    torch.save({"model": {"conv1.weight": torch.zeros(2)}}, tmp_path / "other.pt")
    with pytest.raises(CheckpointError, match=r"other.pt holds no CLIP.*conv1.weight"):
        read_clip(tmp_path / "other.pt")


class Command:
    def __reduce__(self):
        import os

        return os.system, ("touch /tmp/hqm_mmdet_was_run",)


def rewritten(source, target, **entries):
    """The archive with some of its files replaced."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, entries.get(name.split("/", 1)[1], old.read(name)))


def test_an_archive_that_wants_to_run_code_is_refused(clip, tmp_path):
    openai_archive(clip, tmp_path / "good.pt")
    rewritten(tmp_path / "good.pt", tmp_path / "bad.pt", **{"data.pkl": pickle.dumps(Command())})
    assert is_torchscript(tmp_path / "bad.pt")
    with pytest.raises(CheckpointError, match="could run code"):
        read_clip(tmp_path / "bad.pt")


def test_a_damaged_archive_is_refused(clip, tmp_path):
    openai_archive(clip, tmp_path / "good.pt")
    stream = io.BytesIO()
    pickle.Pickler(stream, 2).dump([1, 2])
    rewritten(tmp_path / "good.pt", tmp_path / "bad.pt", **{"data.pkl": stream.getvalue()[:-1]})
    with pytest.raises(CheckpointError, match=r"bad.pt"):
        read_clip(tmp_path / "bad.pt")
