"""Which class of TIN's scores a verb and an object have."""

from collections.abc import Sequence

import torch
from torch import Tensor

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.registry import FUNCTIONS


def class_table_of(
    num_obj_classes: int,
    num_verbs: int,
    triplets: str | Sequence[tuple[int, int]] | None,
    verb_order: Sequence[int] | None,
) -> Tensor:
    """(V, number of object labels) long, the class of a verb and an object; -1: no class.

    Arguments are those of :class:`~.tin_head.TINHead`.

    Raises:
        ConfigError: no function is called as ``triplets``.
    """
    if isinstance(triplets, str):
        function = FUNCTIONS.get(triplets)
        if function is None:
            raise ConfigError(
                f"bbox_head.triplets: no registered function is called {triplets!r}; hico_triplets is one."
            )
        triplets = function()
    if triplets is None:
        classes = torch.empty(num_verbs, dtype=torch.long)
        classes[torch.tensor(verb_order or range(num_verbs))] = torch.arange(num_verbs)
        return classes[:, None].repeat(1, num_obj_classes)
    table = torch.full((num_verbs, num_obj_classes), -1)
    for index, (label, verb) in enumerate(triplets):
        table[verb, label] = index
    return table
