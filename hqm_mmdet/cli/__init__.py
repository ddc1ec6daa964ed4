"""Commands of ``hqm-mmdet``, one per module; the scripts in ``tools/`` run the same. Nothing imports this room."""

import warnings

# Of mmdet's dense and deformable detectors, which no user can mend.
warnings.filterwarnings("ignore", "torch.meshgrid: in an upcoming release", UserWarning)
