"""The index of the project's models: ``model-index.yml`` and the metafiles that it imports."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .installation import project_root


@dataclass(frozen=True)
class IndexedModel:
    """A config's entry in a metafile.

    Args:
        entry (dict): as the file has it.
    """

    entry: dict

    @property
    def name(self) -> str:
        """Of the config, without ending."""
        return self.entry["Name"]

    @property
    def collection(self) -> str:
        """The method."""
        return self.entry["In Collection"]

    @property
    def dataset(self) -> str:
        """Of the results; empty without any."""
        results = self.entry.get("Results", [])
        return results[0]["Dataset"] if results else ""

    @cached_property
    def metrics(self) -> dict[str, float]:
        """All results by name, e.g. ``mAP full (default, published)``."""
        return {name: value for result in self.entry.get("Results", []) for name, value in result["Metrics"].items()}

    @property
    def published(self) -> tuple[str, float] | None:
        """The first published result, ``("mAP full", 29.07)``; None without any."""
        found = ((name.split(" (")[0], value) for name, value in self.metrics.items() if "published" in name)
        return next(found, None)


@dataclass(frozen=True)
class ModelIndex:
    """All models of the project.

    Args:
        collections (dict[str, dict]): methods by name, with their papers.
        models (dict[str, IndexedModel]): by name.
    """

    collections: dict[str, dict]
    models: dict[str, IndexedModel]

    @classmethod
    def read(cls, root: Path | None = None) -> "ModelIndex":
        """Read the index.

        Args:
            root (Path, optional): folder of ``model-index.yml``. Default: the project's.
        """
        import yaml  # comes with mmengine; the floor below does without

        root = root or project_root()
        index = yaml.safe_load((root / "model-index.yml").read_text(encoding="utf-8"))
        collections, models = {}, {}
        for name in index["Import"]:
            metafile = yaml.safe_load((root / name).read_text(encoding="utf-8"))
            collections.update((collection["Name"], collection) for collection in metafile["Collections"])
            models.update((entry["Name"], IndexedModel(entry)) for entry in metafile["Models"])
        return cls(collections, models)
