"""Do the head's sizes fit the data set?"""

from mmengine.hooks import Hook

from hqm_mmdet.errors import ClassMismatchError
from hqm_mmdet.registry import HOOKS
from hqm_mmdet.utils.distributed import unwrapped


@HOOKS.register_module()
class ClassCheckHook(Hook):
    """Compares ``num_obj_classes`` and ``num_verbs`` of the model's head with the data set before anything runs.

    A label beyond the last output would end a training on a GPU with "device-side assert". A head may have more object
    classes than the data set: one for "the pair has no object".
    """

    def before_train(self, runner) -> None:
        """Check against the training data."""
        self._check(runner.model, runner.train_dataloader.dataset.metainfo)

    def before_test(self, runner) -> None:
        """Check against the test data."""
        self._check(runner.model, runner.test_dataloader.dataset.metainfo)

    @staticmethod
    def _check(model, metainfo: dict) -> None:
        head = getattr(unwrapped(model), "bbox_head", None)
        # models and data sets of other packages have no such numbers, and are none of our business
        if not hasattr(head, "num_obj_classes") or not hasattr(head, "num_verbs") or "verbs" not in metainfo:
            return
        classes, verbs = len(metainfo["classes"]), len(metainfo["verbs"])
        if head.num_verbs != verbs or head.num_obj_classes < classes:
            raise ClassMismatchError(
                f"The data set has {classes} object classes and {verbs} verbs, but the head has "
                f"{head.num_obj_classes} and {head.num_verbs}. Set model.bbox_head.num_obj_classes={classes} (one more "
                f"if pairs may lack an object) and model.bbox_head.num_verbs={verbs}."
            )
