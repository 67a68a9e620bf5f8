"""Reads what `vitrine train --pth` wrote with the public readers: torch, timm (strict), safetensors, TensorBoard's EventAccumulator.

    python Scripts/compare/train-outputs.py DIR [--data labels.csv]

Exits with an error on any difference: tensors are compared bit by bit, scalars as float32 against log.jsonl, and with --data the
probabilities of predictions.csv against timm's on the same images (preprocessing `resize`). The model has a class token, and is pooled by it
or by the mean; registers, LayerScale and SwiGLU may be there.
"""

import argparse
import csv
import json
import pathlib

import numpy as np
import safetensors
import safetensors.torch
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from timm.layers import SwiGLUPacked
from timm.models.vision_transformer import VisionTransformer

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


def timm_model(c):
    """The architecture of a stored configuration."""
    assert c["pooling"] in ("classToken", "mean"), c["pooling"]
    options = {}
    if "swiGLU" in c["mlp"]:
        options = dict(mlp_layer=SwiGLUPacked, act_layer=torch.nn.SiLU)
    return VisionTransformer(
        img_size=(c["positionGrid"]["rows"] * c["patchSize"], c["positionGrid"]["columns"] * c["patchSize"]), patch_size=c["patchSize"],
        embed_dim=c["width"], depth=c["depth"], num_heads=c["heads"], num_classes=c["classes"],
        mlp_ratio=(2 if options else 1) * c["hidden"] / c["width"], init_values=1.0 if c["hasLayerScale"] else None,
        reg_tokens=c["registers"], no_embed_class=c["positionedPrefixTokens"] == 0,
        global_pool="avg" if c["pooling"] == "mean" else "token", **options)


def compare_predictions(folder, model, metadata, table):
    """Largest difference of a probability."""
    name, size, normalisation = metadata["vitrine.preprocess"].split(":")
    assert (name, normalisation) == ("resize", "imagenet"), metadata["vitrine.preprocess"]
    classes = json.loads(metadata["vitrine.classes"])
    worst = count = 0
    model.eval()
    for row in csv.DictReader(open(folder / "predictions.csv")):
        image = Image.open(table.parent / row["image"]).convert("RGB").resize((int(size), int(size)), Image.Resampling.BILINEAR)
        x = (torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255 - MEAN) / STD
        with torch.no_grad():
            p = model(x[None]).softmax(1)[0]
        worst = max(worst, max(abs(float(row[f"probability of {c}"]) - p[i].item()) for i, c in enumerate(classes)))
        count += 1
    return worst, count


def logged_scalars(path):
    """{tag: [(step, value)]} as the event file has to hold them."""
    expected = {}
    for line in map(json.loads, path.read_text().splitlines()):
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
    return expected


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path)
    options = parser.parse_args()
    folder = options.folder
    ours = safetensors.torch.load_file(folder / "model.safetensors")
    with safetensors.safe_open(folder / "model.safetensors", "pt") as file:
        metadata = file.metadata()
    theirs = torch.load(folder / "model.pth", weights_only=True)
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert torch.equal(ours[name].view(torch.int32), theirs[name].view(torch.int32)), name
    model = timm_model(json.loads(metadata["vitrine.configuration"]))
    model.load_state_dict(theirs, strict=True)
    model.load_state_dict(ours, strict=True)
    print(f"{len(ours)} tensors equal bit by bit in safetensors and pth; timm loads both strictly; metadata {sorted(metadata)}")

    if options.data:
        worst, count = compare_predictions(folder, model, metadata, options.data)
        # Float32 sums in another order.
        assert worst < 1e-4, worst
        print(f"timm gives the probabilities of predictions.csv: {count} images, largest difference {worst:.1e}")

    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    expected = logged_scalars(folder / "log.jsonl")
    found = {tag: [(e.step, float(np.float32(e.value))) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    assert found == expected, (found.keys(), expected.keys())
    print(f"TensorBoard reads {sum(map(len, found.values()))} scalars of {len(found)} tags, all equal to log.jsonl")


if __name__ == "__main__":
    main()
