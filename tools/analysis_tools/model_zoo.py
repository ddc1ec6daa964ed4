#!/usr/bin/env python
"""Write the lists of docs/model_zoo.md out of model-index.yml: published results, where weights are, conversion."""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
from page import write_part  # noqa: E402

from hqm_mmdet_cli.model_index import IndexedModel, ModelIndex  # noqa: E402

SUFFIXES = {"hico": "HICO-DET", "vcoco": "V-COCO", "hoia": "HOI-A", "toy": "ToyHOI"}
COMMAND = "python tools/analysis_tools/model_zoo.py"


def data_set(model: IndexedModel) -> str:
    """Of a model's results, or of its config's name."""
    return model.dataset or SUFFIXES.get(model.name.rsplit("_", 1)[-1], "")


def item(model: IndexedModel) -> str:
    """A line of a list."""
    source = model.entry.get("Converted From")
    published = "{1} ({0})".format(*model.published) if model.published else "no result published"
    text = f"* `{model.entry['Config']}` ({data_set(model)}): {published}"
    if not source:
        return f"{text}; no weights published"
    file = source.get("File")
    name = f"[`{file}`]" if file else "[weights]"
    return f"{text}; {name}({source['Weights']}), `hqm-mmdet convert {file or 'FILE'} weights/{model.name}.pth`"


def authors(models: list[IndexedModel]) -> str:
    """Where the authors name their weights."""
    codes = dict.fromkeys(m.entry["Converted From"]["Code"] for m in models if "Converted From" in m.entry)
    return "".join(f"; weights as named [by the authors]({code})" for code in codes)


def is_shown(model: IndexedModel) -> bool:
    """Whether somebody has published weights or, ablations apart, a result."""
    return "Converted From" in model.entry or (model.published and "ablations" not in model.entry["Config"])


def lists(index: ModelIndex) -> str:
    """A section per collection."""
    parts = []
    for collection in index.collections.values():
        shown = [m for m in index.models.values() if m.collection == collection["Name"] and is_shown(m)]
        if not shown:
            continue
        paper = collection["Paper"]
        parts.append(f"## {collection['Name']}\n\n[{paper['Title']}]({paper['URL']}){authors(shown)}\n\n")
        parts.append("\n".join(map(item, shown)) + "\n\n")
    return "".join(parts).strip()


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "model_zoo.md")
    args = parser.parse_args()
    write_part(args.out, COMMAND, lists(ModelIndex.read()))
    print(f"wrote {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
