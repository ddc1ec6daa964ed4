"""``hqm-mmdet to-hoia``, ``tools/dataset_converters/to_hoia.py``."""

from collections.abc import Callable

import click

from .checks import require_files
from .command import TellingMain, ToolCommand, work
from .errors import UsageError
from .options import quiet, with_options, writable_file

DATASETS = ("hico", "vcoco", "hoia")  # that HoiTransformer's files may be of; a test compares


class Formats(TellingMain, click.Group):
    """One sub-command per published format."""


@click.group("to-hoia", cls=Formats, context_settings=dict(help_option_names=["-h", "--help"], max_content_width=120))
def to_hoia() -> None:
    """Convert published annotations to the HOIA-style files that all data sets here are read from.

    A name that ends with .gz is written compressed. Files appear when they are complete.

    \b
    to-hoia vcoco vcoco_trainval.json instances_vcoco_all_2014.json data/v-coco/annotations/trainval_vcoco.json
    to-hoia hicodet instances_test2015.json data/hico_20160224_det/annotations/test_hico.json
    to-hoia hico-mat anno_bbox.mat train data/hico_20160224_det/annotations/trainval_hico.json --zero-based
    to-hoia hoi-a test_2019.json test_hoia.json
    to-hoia odgt vcoco_trainval_retag_hoitr.odgt trainval.json
    to-hoia vcoco-instances instances_vcoco_trainval.json trainval.json
    to-hoia label-studio export.json data/own/train.json
    to-hoia cvat annotations.xml data/own/train.json
    to-hoia coco-hois instances.json data/own/train.json
    """


def converter(name: str, *options: Callable) -> Callable:
    """A sub-command with SOURCE and OUT."""

    def declare(function: Callable) -> click.Command:
        out = click.argument("out", callback=writable_file)
        return to_hoia.command(name, cls=ToolCommand)(with_options(function, (*options, out, quiet)))

    return declare


source = click.argument("source")
names = click.option("--names", metavar="FILE", help="Class and verb names. Default: names.json beside OUT.")
subject = click.option("--subject", default="person", show_default=True, help="Class of subjects.")
zero_based = click.option("--zero-based", is_flag=True, help="Subtract 1 from coordinates (PPDM's training file).")


def convert(form: str, source: str, **options) -> int:
    """Do it, if the file is there."""
    require_files(source)
    return work("to_hoia.to_hoia")(form=form, source=source, **options)


@converter(
    "vcoco",
    click.argument("source", metavar="LABELS"),
    click.argument("instances"),
    click.option("--corre", metavar="FILE", help="Also write the verb-object table, corre_vcoco.npy."),
    click.option("--prior", metavar="FILE", help="Take that table from VSGNet's prior.pickle, not from the rules."),
)
def vcoco(instances: str, corre: str | None, prior: str | None, **options) -> int:
    """Official V-COCO labels (vcoco_trainval.json ...) and a COCO instances file that holds the images."""
    if prior and not corre:
        raise UsageError("--prior needs --corre, the file to write its table to")
    require_files(instances, prior)
    return convert("vcoco", instances=instances, corre=corre, prior=prior, **options)


@converter("hicodet", source, zero_based)
def hicodet(**options) -> int:
    """instances_train2015.json or instances_test2015.json of fredzzhang/hicodet."""
    return convert("hicodet", **options)


@converter("hico-mat", source, click.argument("split", type=click.Choice(("train", "test"))), zero_based)
def hico_mat(**options) -> int:
    """anno_bbox.mat of HICO-DET."""
    return convert("hico-mat", **options)


@converter("hoi-a", source)
def hoi_a(**options) -> int:
    """train_2019.json or test_2019.json of HOI-A."""
    return convert("hoi-a", **options)


@converter(
    "odgt",
    source,
    click.option("--dataset", type=click.Choice(DATASETS), help="Default: the one that has all names of the file."),
)
def odgt(**options) -> int:
    """Annotations of HoiTransformer (.odgt)."""
    return convert("odgt", **options)


@converter("vcoco-instances", source)
def vcoco_instances(**options) -> int:
    """instances_vcoco_*.json of fredzzhang/vcoco."""
    return convert("vcoco-instances", **options)


@converter("label-studio", source, names, subject)
def label_studio(**options) -> int:
    """JSON export of Label Studio; verbs are labels of relations, from subject to object."""
    return convert("label-studio", **options)


@converter("cvat", source, names, subject)
def cvat(**options) -> int:
    """annotations.xml of CVAT ("for images 1.1"); boxes of a group interact, objects have the attribute `verbs`."""
    return convert("cvat", **options)


@converter("coco-hois", source, names, subject)
def coco_hois(**options) -> int:
    """COCO file with `relations`, or with groups and verbs in attributes."""
    return convert("coco-hois", **options)
