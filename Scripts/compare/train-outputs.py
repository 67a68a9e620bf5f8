"""Reads what `vitrine train --pth` wrote with the public readers: torch, timm (strict), safetensors, TensorBoard's EventAccumulator.

    python Scripts/compare/train-outputs.py DIR

The model must be a plain timm ViT (class token, GELU). Exits with an error on any difference: tensors are compared bit by bit, scalars as
float32 against log.jsonl.
"""

import json
import pathlib
import sys

import numpy as np
import safetensors
import safetensors.torch
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from timm.models.vision_transformer import VisionTransformer


def main():
    folder = pathlib.Path(sys.argv[1])
    ours = safetensors.torch.load_file(folder / "model.safetensors")
    with safetensors.safe_open(folder / "model.safetensors", "pt") as file:
        metadata = file.metadata()
    theirs = torch.load(folder / "model.pth", weights_only=True)
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert torch.equal(ours[name].view(torch.int32), theirs[name].view(torch.int32)), name
    c = json.loads(metadata["vitrine.configuration"])
    grid = c["positionGrid"]
    model = VisionTransformer(
        img_size=(grid["rows"] * c["patchSize"], grid["columns"] * c["patchSize"]), patch_size=c["patchSize"], embed_dim=c["width"],
        depth=c["depth"], num_heads=c["heads"], mlp_ratio=c["hidden"] / c["width"], num_classes=c["classes"],
        init_values=1.0 if c["hasLayerScale"] else None)
    model.load_state_dict(theirs, strict=True)
    model.load_state_dict(ours, strict=True)
    print(f"{len(ours)} tensors equal bit by bit in safetensors and pth; timm loads both strictly; metadata {sorted(metadata)}")

    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    expected = {}
    for line in map(json.loads, (folder / "log.jsonl").read_text().splitlines()):
        if "epochRecord" in line:
            record = line["epochRecord"]
            values = {"training/loss": record["trainingLoss"], "training/accuracy": record["trainingAccuracy"],
                      "training/images per second": record["imagesPerSecond"]}
            for key, name in {"loss": "loss", "accuracy": "accuracy", "balancedAccuracy": "balanced accuracy", "auroc": "AUROC",
                              "sensitivity": "sensitivity", "specificity": "specificity"}.items():
                if key in record.get("validation", {}):
                    values[f"validation/{name}"] = record["validation"][key]
            step = record["epoch"]
        else:
            values = {"step/loss": line["loss"], "step/learning rate": line["learningRate"], "step/gradient norm": line["gradientNorm"]}
            step = line["step"]
        for name, value in values.items():
            expected.setdefault(name, []).append((step, float(np.float32(value))))
    found = {tag: [(e.step, float(np.float32(e.value))) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    assert found == expected, (found.keys(), expected.keys())
    print(f"TensorBoard reads {sum(map(len, found.values()))} scalars of {len(found)} tags, all equal to log.jsonl")


if __name__ == "__main__":
    main()
