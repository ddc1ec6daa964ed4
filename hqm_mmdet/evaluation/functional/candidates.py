"""Stage a: which (pair, verb) candidates of an image take part in the evaluation."""

import numpy as np

from ..errors import EvaluationError


def verb_mask_by_object(valid_pairs: np.ndarray, num_objects: int) -> np.ndarray:
    """Rows of allowed verbs, one per object label.

    Args:
        valid_pairs (ndarray): (V, C) or (V, C + 1), 1 where the verb goes with the object class; QPIC
            calls it ``correct_mat``.
        num_objects (int): C.

    Returns:
        ndarray: (C + 1, V) float32. A missing last column, the absent object, allows every verb, as
        QPIC extends the table for V-COCO.

    Raises:
        EvaluationError: wrong shape.
    """
    mask = np.asarray(valid_pairs, dtype=np.float32)
    if mask.ndim != 2 or mask.shape[1] not in (num_objects, num_objects + 1):
        raise EvaluationError(
            f"valid_pairs must be verbs x {num_objects} objects (one more column with the absent object), "
            f"got the shape {mask.shape}; it belongs to another data set or is transposed."
        )
    if mask.shape[1] == num_objects:
        mask = np.concatenate([mask, np.ones_like(mask[:, :1])], axis=1)
    # Looked up row by row, for the pairs of every image.
    return np.ascontiguousarray(mask.T)


def stable_top_k(scores: np.ndarray, k: int | None) -> np.ndarray:
    """Indices of the k largest of (N,) finite scores, descending, equal scores in their own order.

    Equals ``np.argsort(-scores, kind='stable')[:k]``, but sorts little more than k numbers,
    which takes a tenth of the time for 100 of 100 x 117 scores.
    """
    if k is None or len(scores) <= k:
        return np.argsort(-scores, kind="stable")
    shortlist = np.flatnonzero(scores >= _bound_of_kth(scores, k))
    return shortlist[np.argsort(-scores[shortlist], kind="stable")[:k]]


def _bound_of_kth(scores: np.ndarray, k: int) -> np.floating:
    """A number close to the k-th largest score, never above it: the k-th largest of the maxima of 4k groups."""
    groups = min(4 * k, len(scores))
    size = len(scores) // groups
    maxima = scores[: groups * size].reshape(size, groups).max(axis=0)
    return np.partition(maxima, groups - k)[groups - k]


def select_candidates(
    verb_scores: np.ndarray,
    obj_labels: np.ndarray,
    verb_mask: np.ndarray | None = None,
    top_k: int | None = 100,
    image: object = "?",
    partial: bool = False,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Best (pair, verb) candidates of one image.

    Every pair stands for V candidates with the score ``verb_scores * verb_mask[object label]`` in
    float32. Forbidden candidates (score 0) stay in the list when fewer than ``top_k`` are positive, as in
    QPIC's evaluator.

    Args:
        verb_scores (ndarray): (P, V) float.
        obj_labels (ndarray): (P,) int in 0..C.
        verb_mask (ndarray, optional): (C + 1, V) from :func:`verb_mask_by_object`; None allows all.
        top_k (int, optional): how many to keep; None keeps all.
        image (object): names the image in messages.
        partial (bool): whether a NaN score means "no candidate" and not an error. Default: False.

    Returns:
        tuple[ndarray, ndarray, ndarray]: pair (K,) int, verb (K,) int, score (K,) float32, descending;
        ties in pair-major, verb-minor order.

    Raises:
        EvaluationError: NaN or infinite score, wrong shape, label out of range, a negative score that a forbidden
            candidate would outrank.
    """
    scores = np.asarray(verb_scores, dtype=np.float32)
    given = None
    if partial:
        given = ~np.isnan(scores.reshape(-1))
        # NaN only: infinite scores stay, to be refused below.
        scores = np.nan_to_num(scores, nan=0.0, posinf=np.inf, neginf=-np.inf)
    _check_scores(scores, obj_labels, verb_mask, image)
    if verb_mask is not None:
        _check_negative(scores, verb_mask[obj_labels], given, image)
        # A new array: QPIC multiplies in place and so changes its caller's scores.
        scores = scores * verb_mask[obj_labels]
    flat = scores.reshape(-1)
    index = stable_top_k(flat, top_k) if given is None else _top_k_of(np.flatnonzero(given), flat, top_k)
    # Without pairs there may be no verbs either.
    pair, verb = np.divmod(index, max(scores.shape[1], 1))
    return pair, verb, flat[index]


def _top_k_of(rows: np.ndarray, scores: np.ndarray, k: int | None) -> np.ndarray:
    return rows[stable_top_k(scores[rows], k)]


def _check_scores(scores, obj_labels, verb_mask, image) -> None:
    if scores.ndim != 2 or len(scores) != len(obj_labels):
        raise EvaluationError(
            f"image {image!r}: verb_scores must be pairs x verbs, got the shape {scores.shape} "
            f"for {len(obj_labels)} object labels."
        )
    if not np.isfinite(scores).all():
        pair, verb = np.argwhere(~np.isfinite(scores))[0]
        raise EvaluationError(
            f"image {image!r}: score {scores[pair, verb]} for pair {pair}, verb {verb}; scores must be "
            "finite. Check the model's weights, or its inputs, for NaN."
        )
    if verb_mask is not None and len(scores):
        _check_mask(scores, obj_labels, verb_mask, image)


def _check_negative(scores, mask, given, image) -> None:
    negative = np.argwhere(scores < 0)
    if not len(negative):
        return
    # A negative score does no harm where no forbidden candidate's 0 would outrank it.
    forbidden = (mask == 0).reshape(-1)
    if (forbidden if given is None else forbidden & given).any():
        pair, verb = negative[0]
        raise EvaluationError(
            f"image {image!r}: score {scores[pair, verb]} for pair {pair}, verb {verb} is negative, and impossible "
            "combinations, which get 0, would rank before it. Map scores to [0, 1], e.g. by a sigmoid."
        )


def _check_mask(scores, obj_labels, verb_mask, image) -> None:
    if verb_mask.shape[1] != scores.shape[1]:
        raise EvaluationError(
            f"image {image!r}: {scores.shape[1]} verb scores per pair, but the verb mask has "
            f"{verb_mask.shape[1]} verbs; model and data set do not belong together."
        )
    if obj_labels.min() < 0 or obj_labels.max() >= len(verb_mask):
        raise EvaluationError(
            f"image {image!r}: object labels reach from {obj_labels.min()} to {obj_labels.max()}, allowed "
            f"are 0..{len(verb_mask) - 1} (the last one = no object)."
        )
