"""Class weights from class frequencies: the dynamic re-weighting of CDN's second training stage."""

import math

import torch
import torch.nn.functional as F
from mmengine.dist import all_reduce
from torch import Tensor, nn

from hqm_mmdet.errors import ClassMismatchError, MissingHookError
from hqm_mmdet.registry import MODELS


@MODELS.register_module()
class DynamicReweighting(nn.Module):
    """Weights of K classes and of the background, rarer ones heavier, from what the loss has seen lately.

    Each call of the loss (one per decoder layer) counts how many queries every class is the target of. The last
    ``queue_size`` counts are summed to n, and with :func:`frequency_weights` the weights are

    ``a * initial + (1 - a) * frequency_weights(n)``,  ``a = min(0.999^(counts in the queue), 0.9)``,

    where ``initial`` comes from the training annotations (:class:`ReweightingHook`), with three times as much
    background as all classes together. Formulas and constants are those of the official code; differences:

    * The queue is part of the checkpoint, and counts are summed over all processes. So all processes hold the same
      queue, a resumed training goes on exactly, and N processes weigh as one does with the whole batch. (Officially
      each process has a queue of its own, which is lost when training stops.)
    * As long as no class was seen, the dynamic part is 0. (Officially NaN, in weights that the loss does not use then.)

    Args:
        num_classes (int): K. Weights and counts have K + 1 entries, the last is the background. Set by the head.
        queue_size (int): calls that are remembered. Default 4704, as in CDN.
        static (bool): use the initial weights alone, without a queue (``--use_static_weights`` of the official code).
            Default False.
    """

    DECAY, LARGEST_INITIAL_SHARE, INITIAL_BACKGROUND = 0.999, 0.9, 3

    def __init__(self, num_classes: int, queue_size: int = 4704, static: bool = False):
        super().__init__()
        self.num_classes = num_classes
        self.static = static
        self._has_initial_weights = False
        self.register_buffer("initial_weights", torch.zeros(num_classes + 1), persistent=False)
        if not static:
            self.register_buffer("queue", torch.zeros(queue_size, num_classes + 1, dtype=torch.int32))
            self.register_buffer("num_calls", torch.zeros(1, dtype=torch.int64))

    def set_initial_counts(self, counts: Tensor) -> None:
        """Take the frequencies of the K classes (K,) in the training annotations.

        Raises:
            ClassMismatchError: another number of classes.
        """
        if tuple(counts.shape) != (self.num_classes,):
            raise ClassMismatchError(
                f"Re-weighting of {self.num_classes} classes got the frequencies of {tuple(counts.shape)}. Set the "
                "head's num_obj_classes and num_verbs to the data set's numbers."
            )
        background = self.INITIAL_BACKGROUND * counts.sum(0, keepdim=True)
        self.initial_weights.copy_(frequency_weights(torch.cat([counts, background])))
        self._has_initial_weights = True

    def of_labels(self, labels: Tensor, count: bool = True) -> Tensor:
        """Weight of each target of a cross entropy.

        Args:
            labels (Tensor): (L, M) long in 0..K, targets of M queries in L decoder layers; K is the background.
            count (bool): whether these targets come into the queue. Default True.

        Returns:
            Tensor: (L, M) float32.
        """
        counts = F.one_hot(labels, self.num_classes + 1).sum(1)
        return self(counts, count).gather(1, labels)

    def of_multi_hot(self, labels: Tensor, count: bool = True) -> Tensor:
        """Weight of each target of a binary loss: the class's weight for 1, and 1 for 0.

        A query counts once for each of its classes, or as background if it has none.

        Args:
            labels (Tensor): (L, M, K), 0 or 1.
            count (bool): whether these targets come into the queue. Default True.

        Returns:
            Tensor: (L, M, K) float32.
        """
        background = (labels == 0).all(2).sum(1, keepdim=True)  # (L, 1)
        counts = torch.cat([(labels > 0).sum(1), background], 1)
        return torch.where(labels > 0, self(counts, count)[:, None, :-1], 1.0)

    @torch.no_grad()
    def forward(self, counts: Tensor, count: bool = True) -> Tensor:
        """Weights for the losses of all decoder layers.

        Args:
            counts (Tensor): (L, K + 1) int, targets of this process by class. The last layer's come into the queue
                first, then those of the layers 0, 1, ..., as the official code calls its losses.
            count (bool): whether they come into the queue at all (in training mode); else the weights are those of the
                moment. Default True.

        Returns:
            Tensor: (L, K + 1) float32, each layer's weights right after its own counts.
        """
        if self.static or not (count and self.training):
            return self.weights().expand(len(counts), -1)
        counts = counts.to(self.queue.dtype, copy=True)  # all_reduce works in place, and counts are the caller's
        all_reduce(counts)
        weights = self.initial_weights.new_empty(counts.shape)
        # the official code calls its loss for the last layer first; the queue remembers that order
        for layer in (-1, *range(len(counts) - 1)):
            self.queue.index_copy_(0, self.num_calls % len(self.queue), counts[layer, None])
            self.num_calls += 1
            weights[layer] = self.weights()
        return weights

    @torch.no_grad()
    def weights(self) -> Tensor:
        """Weights of the moment, (K + 1,) float32.

        Raises:
            MissingHookError: nobody set the initial counts.
        """
        if not self._has_initial_weights:
            raise MissingHookError(
                "DynamicReweighting does not know the class frequencies of the training set: add "
                "dict(type='ReweightingHook') to custom_hooks (configs/_base_/reweighting/stage2.py does)."
            )
        if self.static:
            return self.initial_weights
        length = self.num_calls.clamp(max=len(self.queue))
        share = (length * math.log(self.DECAY)).exp().clamp(max=self.LARGEST_INITIAL_SHARE)  # exact in float32 too
        return share * self.initial_weights + (1 - share) * frequency_weights(self.queue.sum(0))


def frequency_weights(counts: Tensor, power: float = 0.7) -> Tensor:
    """Weights that fall with frequency.

    ``(N / n_c)^power`` for n_c > 0, else 0, where N sums the classes without the background. The classes' weights are
    divided by the mean of the positive ones, the background's is not.

    Args:
        counts (Tensor): (K + 1,) int, the last entry is the background.
        power (float): exponent. Default 0.7.

    Returns:
        Tensor: (K + 1,) float32, finite.
    """
    counts = counts.float()
    # classes that were not seen get 0, not the weight of a class that was seen once
    ratio = counts[:-1].sum() / counts.clamp(min=1)
    weights = torch.where(counts > 0, ratio**power, 0.0)
    mean = weights[:-1].sum() / (counts[:-1] > 0).sum().clamp(min=1)
    return torch.cat([weights[:-1] / mean.clamp(min=torch.finfo(mean.dtype).tiny), weights[-1:]])
