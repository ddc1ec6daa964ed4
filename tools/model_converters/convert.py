#!/usr/bin/env python
"""Convert a checkpoint of another code base: ``convert.py SRC DST``.

The source (official QPIC, CDN or HQM, official DETR, mmdet DETR or Conditional DETR) is recognised by its keys. A DETR
becomes the initialisation of a pair detector, QPIC unless --model says otherwise; a Conditional DETR that of
Conditional DETR for pairs.
"""

import argparse
import sys

from hqm_mmdet.checkpoints import SOURCES, convert_checkpoint
from hqm_mmdet.checkpoints.convert import DATASETS
from hqm_mmdet.checkpoints.initialise import INITIALISERS


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("src", help="checkpoint to read (.pth)")
    parser.add_argument("dst", help="checkpoint to write (.pth or .safetensors)")
    parser.add_argument("--source", choices=SOURCES, help="overrides the recognition")
    parser.add_argument("--dataset", choices=DATASETS, default="hico", help="object classes of an initialised head")
    parser.add_argument("--model", choices=INITIALISERS, help="pair detector that a DETR initialises")
    parser.add_argument(
        "--random-decoder", action="store_true", help="the interaction decoder is no copy of DETR's (official code)"
    )
    parser.add_argument("--quiet", action="store_true", help="print the summary only")
    args = parser.parse_args()
    try:
        options = dict(model=args.model, copy_decoder=not args.random_decoder)
        report = convert_checkpoint(args.src, args.dst, args.source, args.dataset, **options)
    except (OSError, RuntimeError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(str(report).splitlines()[-1] if args.quiet else report)
    print(f"wrote {args.dst}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
