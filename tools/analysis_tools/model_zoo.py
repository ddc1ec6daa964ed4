#!/usr/bin/env python
"""Write the tables of docs/model_zoo.md out of model-index.yml: published results, where weights are, conversion."""

import argparse
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
from page import write_part  # noqa: E402

SUFFIXES = {"hico": "HICO-DET", "vcoco": "V-COCO", "hoia": "HOI-A", "toy": "ToyHOI"}
COMMAND = "python tools/analysis_tools/model_zoo.py"


def data_set(model: dict) -> str:
    """Of a model's results, or of its config's name."""
    results = model.get("Results", [])
    return results[0]["Dataset"] if results else SUFFIXES.get(model["Name"].rsplit("_", 1)[-1], "")


def published(model: dict) -> str:
    """``29.07 mAP full``, the first published metric."""
    metrics = {name: value for result in model.get("Results", []) for name, value in result["Metrics"].items()}
    name, value = next(((n, v) for n, v in metrics.items() if "published" in n), (None, None))
    return "-" if name is None else f"{value} ({name.split(' (')[0]})"


def row(model: dict) -> str:
    """A line of a table."""
    source, convert = model.get("Converted From"), "-"
    where = "none published"
    if source:
        file = f"`{source['File']}` " if "File" in source else ""
        where = f"{file}[here]({source['Weights']}), named by [the authors]({source['Code']})"
        convert = f"`hqm-mmdet convert {source.get('File', 'FILE')} weights/{model['Name']}.pth`"
    return f"| `{model['Config']}` | {data_set(model)} | {published(model)} | {where} | {convert} |"


def tables(index: dict) -> str:
    """A section per collection."""
    parts = []
    for collection in index["Collections"]:
        models = [m for m in index["Models"] if m["In Collection"] == collection["Name"]]
        shown = [m for m in models if "Converted From" in m or (published(m) != "-" and "ablations" not in m["Config"])]
        if not shown:
            continue
        paper = collection["Paper"]
        parts.append(f"## {collection['Name']}\n\n[{paper['Title']}]({paper['URL']})\n\n")
        parts.append("| Config | Data set | Published | Weights | Convert |\n| --- | --- | --- | --- | --- |\n")
        parts.append("\n".join(map(row, shown)) + "\n\n")
    return "".join(parts).strip()


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, default=ROOT / "model-index.yml")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "model_zoo.md")
    args = parser.parse_args()
    write_part(args.out, COMMAND, tables(yaml.safe_load(args.index.read_text(encoding="utf-8"))))
    print(f"wrote {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
