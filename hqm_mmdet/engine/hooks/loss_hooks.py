"""Losses are those of the global batch, and training stops at the first that is no number."""

import math

import torch
from mmengine.dist import all_reduce, get_rank, get_world_size
from mmengine.hooks import Hook
from torch import Tensor

from hqm_mmdet.registry import HOOKS


@HOOKS.register_module()
class MeanLossHook(Hook):
    """Replaces each process's loss terms by their mean over all processes, on the host, before anyone reads them.

    mmengine reads the terms for its log one by one, and each time a GPU is waited for; here all are fetched at once.

    mmengine logs the terms of the first process only. With this hook the log of N processes equals that of one process
    with the same global batch (unless the model computes batch statistics), and a loss that is not finite somewhere is
    so everywhere, so that all processes stop together. Costs one small all-reduce. All processes must have the same
    terms, which models owe anyway.
    """

    priority = "HIGHEST"  # before RuntimeInfoHook, which takes the terms into the log

    def after_train_iter(
        self, runner, batch_idx: int, data_batch=None, outputs: dict[str, Tensor] | None = None
    ) -> None:
        """Reduce ``outputs`` in place."""
        terms = {name: value.detach().float() for name, value in (outputs or {}).items() if isinstance(value, Tensor)}
        if terms:
            stacked = torch.stack(list(terms.values()))
            all_reduce(stacked, "mean")  # nothing happens in a single process
            outputs.update(zip(terms, stacked.cpu().unbind(), strict=True))


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Stops training when a loss or the gradient's norm is NaN or infinite, or a loss is huge; says for which images.

    A training that diverges need not reach NaN: in bfloat16 (``--amp``) losses may stay finite and huge for epochs.

    It looks after the optimizer's step, at the numbers that mmengine has fetched from the device for its log anyway, so
    it costs no further wait. The weights in memory are spoilt by then, but nothing is saved from them: this hook comes
    before the checkpoint hook. Looked at are terms whose name contains ``loss`` (those that mmengine adds up), and the
    gradient's norm where the config clips gradients, except under fp16 loss scaling.

    With several processes, :class:`MeanLossHook` lets all stop in the same iteration; each names its part of the batch.

    Args:
        limit (float): a loss beyond it counts as diverged; those of detectors lie below 1000. Default: 1e6.
    """

    priority = "HIGH"  # after RuntimeInfoHook, which fetches the numbers

    def __init__(self, limit: float = 1e6):
        self.limit = limit

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs: dict | None = None) -> None:
        """Check.

        Raises:
            FloatingPointError: with iteration, terms and images.
        """
        bad = self._not_finite(runner, outputs or {})
        if bad:
            raise FloatingPointError(self._message(runner, bad, data_batch))

    def _not_finite(self, runner, outputs: dict[str, Tensor]) -> dict[str, float]:
        names = [name for name in outputs if "loss" in name]
        # infinite norms belong to fp16's loss scaling, which skips that step and lowers the scale
        scaler = getattr(runner.optim_wrapper, "loss_scaler", None)
        if scaler is None or not scaler.is_enabled():
            names.append("grad_norm")
        logged = runner.message_hub.log_scalars
        values = {name: logged[f"train/{name}"].current() for name in names if f"train/{name}" in logged}
        # The norm of a gradient has no natural size; clipping is there for large ones.
        return {
            name: value
            for name, value in values.items()
            if not math.isfinite(value) or ("loss" in name and abs(value) > self.limit)
        }

    def _message(self, runner, bad: dict[str, float], data_batch) -> str:
        finite = all(map(math.isfinite, bad.values()))
        what = f"The loss is beyond {self.limit:g}, training has diverged," if finite else "Not finite"
        terms = ", ".join(f"{name}={value}" for name, value in bad.items())
        part = f" (process {get_rank()} of {get_world_size()})" if get_world_size() > 1 else ""
        last = runner.message_hub.get_info("last_ckpt")
        return (
            f"{what} in iteration {runner.iter + 1} (epoch {runner.epoch + 1}): {terms}. Images of the "
            f"batch{part}: {', '.join(image_names(data_batch))}. Nothing was saved from this state; the last good "
            f"checkpoint is {last or 'none yet'}. Look at these images and their boxes; if they are sound, try a "
            "smaller learning rate or train without --amp."
        )


def image_names(data_batch) -> list[str]:
    """File names of a batch's images, as far as its samples know them."""
    samples = data_batch.get("data_samples", []) if isinstance(data_batch, dict) else []
    return [str(sample.get("img_path", sample.get("img_id", "unknown"))) for sample in samples] or ["unknown"]
