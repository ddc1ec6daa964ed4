"""Initial class weights of a training with re-weighting."""

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.registry import HOOKS
from hqm_mmdet.utils.distributed import unwrapped

from .random_state_hook import base_datasets

PARTS = (("objects", "obj"), ("verbs", "verb"))  # names in class_counts and in the head


@HOOKS.register_module()
class ReweightingHook(Hook):
    """Tells the head's :class:`DynamicReweighting` how frequent classes are in the training annotations.

    Frequencies are those of the HOI entries as annotated (:attr:`HOIDataset.class_counts`), which on the whole of
    HICO-DET are the official code's tables. Pairs without object count for the label C, if the annotations have any.

    Raises:
        ConfigError: before training, if the head has no re-weighting, the data set does not count its classes, or it
            has other classes than the head.
    """

    priority = "NORMAL"

    def before_train(self, runner: Runner) -> None:
        """Count and hand over; after the checkpoint was loaded."""
        head = getattr(unwrapped(runner.model), "bbox_head", None)
        parts = {name: getattr(head, f"{part}_reweighting", None) for name, part in PARTS}
        if all(part is None for part in parts.values()):
            raise ConfigError(
                "ReweightingHook is among the hooks, but the head has neither obj_reweighting nor verb_reweighting. "
                "Remove the hook, or write `model = dict(bbox_head=dict(verb_reweighting=_base_.reweighting))`."
            )
        counts = [self._counts(dataset) for dataset in base_datasets(runner.train_dataloader.dataset)]
        for name, reweighting in parts.items():
            if reweighting is not None:
                total = torch.stack([torch.from_numpy(count[name]) for count in counts]).sum(0)
                # the last count is pairs without object; a data set without any has no class for them
                if name == "objects" and not total[-1]:
                    total = total[: reweighting.num_classes]
                reweighting.set_initial_counts(total)

    @staticmethod
    def _counts(dataset) -> dict:
        counts = getattr(dataset, "class_counts", None)
        if counts is None:
            raise ConfigError(
                f"{type(dataset).__name__} has no class_counts, which re-weighting starts from. Train on an HOIDataset "
                "or give your data set that attribute: dict(objects=(C + 1,) array, verbs=(V,) array)."
            )
        return counts
