"""Real annotations, and files of other code bases."""

import gzip
import json

import pytest

from hqm_mmdet.evaluation.offline import load_evaluation_set


@pytest.fixture(scope="session")
def users(cases_dir):
    """What people of the field hold."""
    return cases_dir / "users"


@pytest.fixture(scope="session")
def entries(data_dir):
    """The first 50 test entries of HICO-DET."""
    return json.loads(gzip.decompress((data_dir / "hico_det/test_hico.json.gz").read_bytes()))[:50]


@pytest.fixture(scope="session")
def hico_50(entries, tmp_path_factory):
    """The same, to evaluate."""
    file = tmp_path_factory.mktemp("hico") / "test_hico.json"
    file.write_text(json.dumps(entries))
    return load_evaluation_set("hico", str(file))


@pytest.fixture(scope="session")
def vcoco_val(data_dir):
    """V-COCO's validation images with complete labels."""
    folder = data_dir / "v_coco"
    files = folder / "vcoco_val_recovered.json.gz", folder / "instances_vcoco_recovered.json.gz"
    return load_evaluation_set("vcoco", *map(str, files))
