"""Fine-tunes a timm ViT by PyTorch with the recipe of a finished `vitrine train` run, on the same split, for comparison.

    python Scripts/compare/train-pytorch.py --data labels.csv --init dinov2.safetensors --run DIR [--seed N] [--threads 2]

DIR is the folder of the run: its predictions.csv says which images validate and test, its recipe.yaml gives the numbers (adamw, cosine
once an epoch, flips). Prints loss and metrics of the best epoch, and images per second. Needs torch, timm, scikit-learn.
"""

import argparse
import csv
import pathlib
import random
import time

import numpy as np
import safetensors.torch
import timm
import torch
import torch.nn.functional as F
from PIL import Image
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from timm.layers import resample_abs_pos_embed

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


def read_image(path, size):
    image = Image.open(path).convert("RGB").resize((size, size), Image.Resampling.BILINEAR)
    return (torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255 - MEAN) / STD


def make_model(name, init, size, classes):
    model = timm.create_model(name, pretrained=False, num_classes=classes, img_size=size)
    if init:
        state = {k: v.float() for k, v in safetensors.torch.load_file(init).items()}
        state["pos_embed"] = resample_abs_pos_embed(state["pos_embed"], [size // model.patch_embed.patch_size[0]] * 2,
                                                    num_prefix_tokens=model.num_prefix_tokens)
        result = model.load_state_dict(state, strict=False)
        assert not result.unexpected_keys and all(k.startswith("head.") for k in result.missing_keys), result
    return model


def train_step(model, optimiser, images, labels):
    loss = F.cross_entropy(model(images), labels)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()
    return loss.item()


def recipe_of(path):
    return dict(line.split(": ", 1) for line in path.read_text().splitlines() if ": " in line)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--init", required=True)
    parser.add_argument("--run", type=pathlib.Path, required=True)
    parser.add_argument("--model", default="vit_small_patch14_dinov2")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    random.seed(options.seed)
    recipe = recipe_of(options.run / "recipe.yaml")
    size, batch, epochs = (int(recipe[k]) for k in ("image-size", "batch", "epochs"))
    assert recipe["optimizer"] == "adamw" and recipe["schedule"] == "cosine", "this script knows adamw and cosine"
    splits = {row["image"]: row["split"] for row in csv.DictReader(open(options.run / "predictions.csv"))}
    rows = list(csv.DictReader(open(options.data)))
    sides = {"train": [], "validation": [], "test": []}
    for row in rows:
        sides[splits.get(row["image"], "train")].append((read_image(options.data.parent / row["image"], size), int(row["label"])))
    print({k: len(v) for k, v in sides.items()})

    model = make_model(options.model, options.init, size, 2)
    optimiser = torch.optim.AdamW(model.parameters(), lr=float(recipe["learning-rate"]), weight_decay=float(recipe["weight-decay"]),
                                  betas=(float(recipe["momentum"]), float(recipe["beta2"])))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=epochs)

    def evaluate(side):
        model.eval()
        with torch.no_grad():
            logits = torch.cat([model(torch.stack([x for x, _ in sides[side][i:i + batch]])) for i in range(0, len(sides[side]), batch)])
        model.train()
        labels = torch.tensor([y for _, y in sides[side]])
        p = logits.softmax(1)[:, 1].numpy()
        return dict(loss=F.cross_entropy(logits, labels).item(), auroc=roc_auc_score(labels, p),
                    balanced_accuracy=balanced_accuracy_score(labels, logits.argmax(1)))

    best = None
    for epoch in range(epochs):
        order = list(range(len(sides["train"])))
        random.shuffle(order)
        began = time.perf_counter()
        losses = []
        for i in range(0, len(order), batch):
            items = [sides["train"][k] for k in order[i:i + batch]]
            images = torch.stack([x.flip(2) if recipe["flip"] == "true" and random.random() < 0.5 else x for x, _ in items])
            losses.append(train_step(model, optimiser, images, torch.tensor([y for _, y in items])))
        rate = len(order) / (time.perf_counter() - began)
        schedule.step()
        metrics = evaluate("validation")
        print(f"epoch {epoch + 1}: training loss {np.mean(losses):.4f}; validation {metrics}; {rate:.2f} images/s", flush=True)
        if best is None or metrics["loss"] < best[0]:
            best = (metrics["loss"], epoch + 1, evaluate("test") if sides["test"] else None)
    print(f"kept epoch {best[1]}; test {best[2]}")


if __name__ == "__main__":
    main()
