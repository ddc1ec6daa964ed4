"""No silent mismatch between checkpoint and config."""

import logging

from mmengine.hooks import Hook
from mmengine.logging import print_log

from hqm_mmdet.checkpoints.contents import resume_defect, weights_of
from hqm_mmdet.checkpoints.loading import TRAINING_ONLY, load_weights, without_module
from hqm_mmdet.configuring import how_to_start
from hqm_mmdet.internals import is_resuming, is_training, loaded_from
from hqm_mmdet.registry import HOOKS
from hqm_mmdet.safe_loading import CheckpointError
from hqm_mmdet.utils.distributed import unwrapped
from hqm_mmdet_cli.installation import command


@HOOKS.register_module()
class WeightCheckHook(Hook):
    """Checks what the runner loads; mmengine only logs a warning and goes on with random weights.

    * Test and resume: every parameter must be there with its shape. Parameters that only training uses
      (``training_only``) may be missing for a test.
    * Initialisation (``load_from`` in training): shapes must agree; missing parameters keep their initialisation and
      are reported in one line with a count. A file of which nothing fits is an error, and so is one that lacks parts
      which the model keeps frozen (its ``required_parameters``). Training without any file gets a warning then.

    Args:
        training_only (tuple[str]): prefixes of parameters that published checkpoints lack. Default: those of mining.
        fresh (tuple[str]): prefixes of parameters that keep their initialisation where a file to initialise from has
            another shape: the class layer of a data set whose classes are not COCO's. One line says so. Default: none.

    Raises:
        CheckpointError: when the runner loads a checkpoint that does not fit; names parameters and both shapes.
    """

    def __init__(self, training_only: tuple[str, ...] = TRAINING_ONLY, fresh: tuple[str, ...] = ()):
        self.training_only = tuple(training_only)
        self.fresh = tuple(fresh)

    def before_train(self, runner) -> None:
        """Warn of a model that starts from random weights though it is meant to have others, or has frozen parts.

        ``hqm-mmdet train`` refuses the former, unless it is asked for; mmengine's own tools come this way, too.
        """
        start = None if loaded_from(runner) else how_to_start(runner.cfg)
        if start is not None:
            message = f"The model is meant to start from trained weights and starts from random ones. A start: {start}."
            print_log(message, logger="current", level=logging.WARNING)
        frozen = getattr(unwrapped(runner.model), "required_parameters", ())
        if frozen and not loaded_from(runner):
            print_log(
                f"{', '.join(frozen)} do not learn, but no checkpoint was loaded: they stay random. Set load_from (or "
                f"a part's own checkpoint) to a DETR that was converted: `{command('convert FILE OUT')}`.",
                logger="current",
                level=logging.WARNING,
            )

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Check and load; what is left for mmengine to load fits exactly."""
        model = unwrapped(runner.model)
        state = without_module(weights_of(checkpoint, self._source(runner)))
        own = model.state_dict()
        if not any(name in own for name in state):
            raise CheckpointError(
                f"No parameter of {self._source(runner)} belongs to the model; it holds e.g. {list(state)[:3]}. A file "
                f"of another code base is converted first: `{command(f'convert {self._source(runner)} OUT.pth')}`."
            )
        if is_resuming(runner) and (defect := resume_defect(checkpoint)) is not None:
            raise CheckpointError(
                f"{self._source(runner)} can't be gone on from: {defect}. Start from its weights with load_from, or "
                "resume from another checkpoint."
            )
        training = is_training(runner)
        initialising = training and not is_resuming(runner)
        optional = () if training else self.training_only
        if initialising:
            state = self._without_fresh(state, own, self._source(runner))
        load_weights(model, state, self._source(runner), partial=initialising, optional=optional)
        # mmengine loads after this hook and would warn of what is missing; completed from the model, nothing is
        checkpoint["state_dict"] = own | {name: value for name, value in state.items() if name in own}

    def _without_fresh(self, state: dict, own: dict, source: str) -> dict:
        """What is loaded: all but the ``fresh`` parameters of another shape."""
        fresh = [
            name
            for name, value in state.items()
            if name.startswith(self.fresh) and name in own and own[name].shape != value.shape
        ]
        if fresh:
            print_log(f"{source}: other classes, so {', '.join(fresh)} start afresh.", logger="current")
        return {name: value for name, value in state.items() if name not in fresh}

    @staticmethod
    def _source(runner) -> str:
        return str(loaded_from(runner) or "the checkpoint")
