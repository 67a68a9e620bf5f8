"""Fine-tunes a timm ViT by PyTorch with the recipe of a finished `vitrine train` run, on the same split, for comparison.

    python Scripts/compare/train-pytorch.py --data labels.csv --init dinov2.safetensors --run DIR [--seed N] [--threads 2]

DIR is the folder of the run: its predictions.csv says which images validate and test, its recipe.yaml gives the numbers (adamw, cosine
once an epoch, flips). Prints loss and metrics of every epoch and of the kept one on the test split, and images per second. Needs torch,
timm, scikit-learn.
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
import yaml
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
        # Without antialias, as Vitrine resamples DINOv2 weights of unknown origin (Hugging Face's rule): both start from the same numbers.
        state["pos_embed"] = resample_abs_pos_embed(state["pos_embed"], [size // model.patch_embed.patch_size[0]] * 2,
                                                    num_prefix_tokens=model.num_prefix_tokens, antialias=False)
        result = model.load_state_dict(state, strict=False)
        assert not result.unexpected_keys and all(k.startswith("head.") for k in result.missing_keys), result
    return model


def train_step(model, optimiser, images, labels):
    loss = F.cross_entropy(model(images), labels)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()
    return loss.item()


def predict(model, images, batch):
    model.eval()
    with torch.no_grad():
        logits = torch.cat([model(torch.stack(images[i:i + batch])) for i in range(0, len(images), batch)])
    model.train()
    return logits


def fine_tune(data, init, run, name="vit_small_patch14_dinov2", seed=0):
    """The run of `run` by PyTorch.

    Returns the kept epoch, its probabilities of class 1 on the test split by image, training images per second of every epoch, and the
    wall time from the first image read to the last prediction.
    """
    torch.manual_seed(seed)
    random.seed(seed)
    recipe = yaml.safe_load((run / "recipe.yaml").read_text())
    size, batch, epochs = recipe["image-size"], recipe["batch"], recipe["epochs"]
    known = dict(optimizer="adamw", schedule="cosine", preprocess="resize", accumulation=1, rotation=0.0, brightness=0.0, contrast=0.0)
    for field, value in known.items():
        assert recipe[field] == value, f"this script knows {field}: {value} only, the run has {recipe[field]}"
    began = time.perf_counter()
    splits = {row["image"]: row["split"] for row in csv.DictReader(open(run / "predictions.csv"))}
    sides = {"train": [], "validation": [], "test": []}
    for row in csv.DictReader(open(data)):
        sides[splits.get(row["image"], "train")].append((row["image"], read_image(data.parent / row["image"], size), int(row["label"])))
    print("images:", {k: len(v) for k, v in sides.items()})
    images = {side: [x for _, x, _ in items] for side, items in sides.items()}
    labels = {side: torch.tensor([y for *_, y in items]) for side, items in sides.items()}

    model = make_model(name, init, size, 2)
    optimiser = torch.optim.AdamW(model.parameters(), lr=float(recipe["learning-rate"]), weight_decay=float(recipe["weight-decay"]),
                                  betas=(recipe["momentum"], recipe["beta2"]))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=epochs)
    best, rates = None, []
    for epoch in range(epochs):
        order = list(range(len(images["train"])))
        random.shuffle(order)
        epoch_began = time.perf_counter()
        losses = []
        for i in range(0, len(order), batch):
            chosen = order[i:i + batch]
            inputs = [images["train"][k] for k in chosen]
            if recipe["flip"]:
                inputs = [x.flip(2) if random.random() < 0.5 else x for x in inputs]
            losses.append(train_step(model, optimiser, torch.stack(inputs), labels["train"][chosen]))
        rates.append(len(order) / (time.perf_counter() - epoch_began))
        schedule.step()
        logits = predict(model, images["validation"], batch)
        loss = F.cross_entropy(logits, labels["validation"]).item()
        print(f"epoch {epoch + 1}: training loss {np.mean(losses):.4f}; validation loss {loss:.4f}, balanced accuracy "
              f"{balanced_accuracy_score(labels['validation'], logits.argmax(1)):.4f}, AUROC "
              f"{roc_auc_score(labels['validation'], logits[:, 1]):.4f}; {rates[-1]:.2f} images/s", flush=True)
        if best is None or loss < best[0]:
            best = (loss, epoch + 1, predict(model, images["test"], batch).softmax(1)[:, 1])
    probabilities = {name: float(p) for (name, *_), p in zip(sides["test"], best[2])}
    return dict(epoch=best[1], probabilities=probabilities, rates=rates, seconds=time.perf_counter() - began)


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
    result = fine_tune(options.data, options.init, options.run, options.model, options.seed)
    labels = {row["image"]: int(row["label"]) for row in csv.DictReader(open(options.data))}
    truth = [labels[name] for name in result["probabilities"]]
    p = np.array(list(result["probabilities"].values()))
    print(f"kept epoch {result['epoch']}: test AUROC {roc_auc_score(truth, p):.4f}, balanced accuracy "
          f"{balanced_accuracy_score(truth, p > 0.5):.4f}; {result['seconds']:.1f} s")


if __name__ == "__main__":
    main()
