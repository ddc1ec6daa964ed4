"""``python -m hqm_mmdet_cli``: the command without installation."""

from . import main

main(prog_name="hqm-mmdet")
