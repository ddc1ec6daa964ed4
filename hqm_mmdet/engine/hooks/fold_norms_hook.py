"""Faster tests."""

from mmengine.hooks import Hook

from hqm_mmdet.internals import is_training
from hqm_mmdet.models.folding import fold_norms
from hqm_mmdet.registry import HOOKS
from hqm_mmdet.utils.distributed import unwrapped


@HOOKS.register_module()
class FoldNormsHook(Hook):
    """Folds the backbone's batch norms into its convolutions (:func:`~hqm_mmdet.models.folding.fold_norms`) when a
    runner tests and does not train."""

    def before_test(self, runner) -> None:
        """The checkpoint is loaded by now."""
        if not is_training(runner):
            fold_norms(unwrapped(runner.model).eval())
