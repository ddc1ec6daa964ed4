"""Prompts to CLIP's token ids: without a tokenizer where all words are known, else with one."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from .phrases import FOLDER, PromptError

START, END = 49406, 49407
CONTEXT_LENGTH = 77
# How CLIP cuts text before byte pair encoding (OpenAI's simple_tokenizer.py): special tokens, English contractions,
# letters, single digits, other signs.
PIECES = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
VOCABULARY_FILES = "tokenizer.json, or vocab.json and merges.txt"


@cache
def word_tokens() -> dict[str, tuple[int, ...]]:
    """Token ids of the words in the prompts of HICO-DET, V-COCO and the toy set."""
    table = json.loads((FOLDER / "word_tokens.json").read_text(encoding="utf-8"))["tokens"]
    return {word: tuple(ids) if isinstance(ids, list) else (ids,) for word, ids in table.items()}


def tokenize(prompts: Sequence[str], clip_folder: str | Path | None = None) -> Tensor:
    """Token ids of prompts.

    CLIP encodes word by word, so a prompt of known words needs a table only; that covers the data sets' prompts and new
    combinations of their words. Other prompts need the extra ``clip`` (the library ``tokenizers``) and the vocabulary
    in the user's CLIP folder.

    Args:
        prompts (Sequence[str]): plain text; case and spaces do not matter.
        clip_folder (str | Path, optional): folder with tokenizer.json, or vocab.json and merges.txt, as Hugging Face
            publishes them; a file in that folder will do.

    Returns:
        Tensor: (N, T) long: start, ids, end, padded with 0 at the right; T is the longest prompt's length.

    Raises:
        PromptError: a prompt is empty or longer than 77 tokens, a word is unknown and the vocabulary or the library
            is missing.
    """
    rows = [[START, *_ids(prompt, clip_folder), END] for prompt in prompts]
    for prompt, row in zip(prompts, rows, strict=True):
        if not 2 < len(row) <= CONTEXT_LENGTH:
            problem = "is empty" if len(row) == 2 else f"has {len(row)} tokens, CLIP takes {CONTEXT_LENGTH}"
            raise PromptError(f"The prompt {prompt[:80]!r} {problem}. Write a short description.")
    longest = max((len(row) for row in rows), default=0)
    padded = [row + [0] * (longest - len(row)) for row in rows]
    return torch.tensor(padded, dtype=torch.long).reshape(len(rows), longest)


def _ids(prompt: str, clip_folder: str | Path | None) -> list[int]:
    words = prompt.lower().split()
    unknown = [word for word in words if word not in word_tokens()]
    if not unknown:
        return [token for word in words for token in word_tokens()[word]]
    tokenizer = _tokenizer(_vocabulary_folder(clip_folder, unknown[0]))
    encoded = tokenizer.encode(prompt, add_special_tokens=False).ids
    return [token for token in encoded if token not in (START, END)]


def _vocabulary_folder(clip_folder: str | Path | None, word: str) -> Path:
    """The folder that holds a vocabulary."""
    folder = Path(clip_folder) if clip_folder is not None else None
    if folder is not None and folder.is_file():
        folder = folder.parent
    if folder is not None and any((folder / name).is_file() for name in ("tokenizer.json", "vocab.json")):
        return folder
    where = f"{folder} has none" if folder is not None else "no CLIP folder was given"
    raise PromptError(
        f"The word {word!r} is in no prompt of the known data sets, so CLIP's vocabulary is needed "
        f"({VOCABULARY_FILES}), and {where}. Copy these files out of a Hugging Face folder such as "
        "openai/clip-vit-base-patch32."
    )


@cache
def _tokenizer(folder: Path):
    """A ``tokenizers.Tokenizer`` of CLIP's byte pair encoding."""
    try:
        import tokenizers
    except ImportError as error:
        raise PromptError(
            "New words need the library `tokenizers`, which is not installed: pip install 'hqm_mmdet[clip]'."
        ) from error
    if (folder / "tokenizer.json").is_file():
        return tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    return _byte_pair_encoding(tokenizers, vocabulary, _merges(folder / "merges.txt"))


def _merges(path: Path) -> list[tuple[str, str]]:
    if not path.is_file():
        raise PromptError(f"{path} is missing; beside vocab.json CLIP's tokenizer needs it.")
    lines = path.read_text(encoding="utf-8").splitlines()
    return [tuple(line.split()) for line in lines if line and not line.startswith("#version")]


def _byte_pair_encoding(tokenizers, vocabulary: dict[str, int], merges: list[tuple[str, str]]):
    end = "<|endoftext|>"
    bpe = tokenizers.models.BPE(
        vocab=vocabulary, merges=merges, continuing_subword_prefix="", end_of_word_suffix="</w>", unk_token=end
    )
    tokenizer = tokenizers.Tokenizer(bpe)
    normalizers, cut = tokenizers.normalizers, tokenizers.pre_tokenizers
    spaces = normalizers.Replace(tokenizers.Regex(r"\s+"), " ")
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), spaces, normalizers.Lowercase()])
    pieces = cut.Split(tokenizers.Regex(PIECES), behavior="removed", invert=True)
    tokenizer.pre_tokenizer = cut.Sequence([pieces, cut.ByteLevel(add_prefix_space=False)])
    return tokenizer
