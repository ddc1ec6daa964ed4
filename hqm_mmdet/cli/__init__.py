"""Commands of ``hqm-mmdet``, one per module; the scripts in ``tools/`` run the same. Nothing imports this room."""
