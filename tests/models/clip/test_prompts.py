"""Prompts, token ids, and text classifiers that are computed once."""

import os
from pathlib import Path

import pytest
import torch

from hqm_mmdet.datasets.toy.vocabulary import TOY_CLASSES, TOY_TRIPLETS
from hqm_mmdet.models.clip import CLIP, PromptError, load_phrases, text_classifier, tokenize
from hqm_mmdet.models.clip.tokens import word_tokens
from tests.models.clip.small_clip import small_clip, write_vocabulary


def test_known_words_need_no_vocabulary():
    tokens = tokenize(["a photo of a  Person riding a dog", "a photo of nothing"])
    assert tokens.tolist()[0] == [49406, 320, 1125, 539, 320, 2533, 6765, 320, 1929, 49407]
    assert tokens.tolist()[1] == [49406, 320, 1125, 539, 2586, 49407, 0, 0, 0, 0]
    assert tokenize([]).shape == (0, 0)


def test_new_words_are_cut_by_the_vocabulary_of_the_clip_folder(tmp_path):
    pytest.importorskip("tokenizers")
    write_vocabulary(tmp_path)
    (tmp_path / "model.safetensors").touch()
    for place in (tmp_path, tmp_path / "model.safetensors"):
        red, redder = tokenize(["red redder", "Redder  x"], place)
        assert red.tolist() == [49406, 53, 54, 56, 49407]
        assert redder.tolist() == [49406, 54, 56, 49, 49407]


def test_a_tokenizer_file_gives_the_same(tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    from hqm_mmdet.models.clip import tokens

    write_vocabulary(tmp_path)
    expected = tokenize(["red bike"], tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    tokens._tokenizer(tmp_path).save(str(other / "tokenizer.json"))
    assert isinstance(tokens._tokenizer(other), tokenizers.Tokenizer)
    assert torch.equal(tokenize(["red bike"], other), expected)


@pytest.mark.skipif("HQM_CLIP" not in os.environ, reason="set HQM_CLIP to a folder with CLIP's vocabulary")
def test_word_table_against_the_real_vocabulary():
    pytest.importorskip("tokenizers")
    from hqm_mmdet.models.clip import tokens

    tokenizer = tokens._tokenizer(Path(os.environ["HQM_CLIP"]))
    for word, ids in word_tokens().items():
        encoded = tokenizer.encode(word, add_special_tokens=False).ids
        assert [i for i in encoded if i < 49406] == list(ids), word


@pytest.mark.parametrize(
    ("prompt", "message"),
    (
        ("a quokka", r"'quokka'.*vocab.json.*no CLIP folder"),
        ("", "is empty"),
        ("a " * 76, "has 78 tokens, CLIP takes 77"),
    ),
)
def test_what_cannot_be_encoded_is_said(prompt, message):
    with pytest.raises(PromptError, match=message):
        tokenize(["a photo of a dog", prompt])


def test_a_folder_without_vocabulary_is_named(tmp_path):
    with pytest.raises(PromptError, match=f"{tmp_path} has none"):
        tokenize(["a quokka"], tmp_path)


def test_phrases_of_the_toy_set_need_no_vocabulary():
    phrases = load_phrases("toy_hoi")
    prompts = phrases.hoi_prompts(TOY_TRIPLETS) + phrases.object_prompts(TOY_CLASSES)
    assert "a photo of a person waving" in prompts
    assert prompts[-1] == "a photo of nothing"
    assert len(tokenize(prompts)) == len(TOY_TRIPLETS) + len(TOY_CLASSES) + 2


def test_unknown_names_are_said():
    with pytest.raises(PromptError, match="verb 'fix'"):
        load_phrases("hico_det").hoi_prompt("fix", "car")
    with pytest.raises(PromptError, match="object 'quokka'"):
        load_phrases("hico_det").hoi_prompt("feed", "quokka")
    with pytest.raises(PromptError, match="No prompts for 'hico'"):
        load_phrases("hico")


def test_classifier_is_computed_once(tmp_path, monkeypatch):
    clip, prompts = small_clip(), ["a photo of a dog", "a photo of a person riding a horse"]
    torch.save(clip.state_dict(), tmp_path / "clip.pth")
    first = text_classifier(tmp_path / "clip.pth", prompts)
    torch.testing.assert_close(first, clip.text_features(tokenize(prompts)))
    assert len(list(tmp_path.glob("text_classifier_*.safetensors"))) == 1
    with monkeypatch.context() as patch:
        patch.delattr(CLIP, "encode_text")
        assert torch.equal(text_classifier(tmp_path / "clip.pth", prompts), first)
    # Other prompts, and other weights under the same name, are other classifiers.
    assert not torch.allclose(text_classifier(tmp_path / "clip.pth", prompts[::-1]), first)
    torch.save(small_clip(seed=1).state_dict(), tmp_path / "clip.pth")
    assert not torch.allclose(text_classifier(tmp_path / "clip.pth", prompts), first)


def test_nothing_is_written_without_cache(tmp_path):
    torch.save(small_clip().state_dict(), tmp_path / "clip.pth")
    text_classifier(tmp_path / "clip.pth", ["a photo of a dog"], cache=False)
    assert [file.name for file in tmp_path.iterdir()] == ["clip.pth"]
