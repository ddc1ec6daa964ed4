"""A tiny HOICLIP of the toy classes whose checkpoint needs nothing else, and the CLIP that it was made with."""

import torch

from hqm_mmdet.apis import build_model
from hqm_mmdet.datasets.toy_hoi import ToyHOIDataset
from hqm_mmdet.models.clip import CLIP, CLIPSize
from tests.apis.conftest import PIPELINE, write_checkpoint
from tests.models.tiny_text import CLIP as CLIP_CONFIG
from tests.models.tiny_text import tiny_hoiclip_config

META = {key: ToyHOIDataset.METAINFO[key] for key in ("classes", "verbs")}


def write_text_checkpoint(folder):
    """Paths of both files; a trained checkpoint holds CLIP's image tower, so the config's file is not there."""
    torch.manual_seed(0)
    torch.save(CLIP(CLIPSize(**CLIP_CONFIG["size"])).state_dict(), folder / "clip.pth")
    cfg = tiny_hoiclip_config()
    cfg.model.bbox_head.update(hois="toy_hoi", num_obj_classes=9, num_verbs=11, clip=str(folder / "clip.pth"))
    cfg.model.data_preprocessor.bgr_to_rgb = True
    dataset = dict(type="HOIDataset", metainfo=META, ann_file="none.json", pipeline=PIPELINE, test_mode=True)
    cfg.test_dataloader = dict(batch_size=1, dataset=dataset)
    model = build_model(cfg)
    cfg.model.clip.weights = "moved_away.pt"
    return write_checkpoint(folder / "hoiclip.pth", model, cfg, dataset_meta=META), folder / "clip.pth"
