"""Is there anything to learn, and to measure?"""

import logging

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner

from hqm_mmdet.datasets.problems import AnnotationError
from hqm_mmdet.registry import HOOKS

from .random_state_hook import base_datasets


@HOOKS.register_module()
class DataCheckHook(Hook):
    """Refuses to train on data in which no image has an HOI, and says so of data to evaluate.

    A converter that loses the HOIs leaves a file that is read without complaint. Data sets that do not count their
    classes (:attr:`HOIDataset.class_counts`), those of other packages, are left alone.
    """

    def before_train(self, runner: Runner) -> None:
        """Look at training and validation data.

        Raises:
            AnnotationError: there is no HOI to train on.
        """
        empty = files_without_hois(runner.train_dataloader.dataset)
        if empty:
            raise AnnotationError(
                f"{', '.join(empty)}: no image has an HOI, so there is nothing to train on. Did a converter lose "
                "hoi_annotation? `hqm-mmdet check-data` shows what is there."
            )
        if runner.val_loop is not None:
            self._warn(runner.val_loop.dataloader.dataset, "no best checkpoint is kept")

    def before_test(self, runner: Runner) -> None:
        """Look at test data."""
        self._warn(runner.test_loop.dataloader.dataset, "there is nothing to measure")

    @staticmethod
    def _warn(dataset, consequence: str) -> None:
        if empty := files_without_hois(dataset):
            print_log(
                f"{', '.join(empty)}: no image has an HOI. Metrics are nan and {consequence}. Did a converter lose "
                "hoi_annotation?",
                logger="current",
                level=logging.WARNING,
            )


def files_without_hois(dataset) -> list[str]:
    """Annotation files, if none of a data set's (below wrappers) has an HOI; else nothing."""
    parts = list(base_datasets(dataset))
    if any(not hasattr(part, "class_counts") or part.class_counts["verbs"].sum() for part in parts):
        return []
    return [part.ann_file for part in parts]
