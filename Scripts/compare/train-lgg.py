"""The same fine-tuning by Vitrine and by PyTorch with timm, on one patient-wise split: accuracy, wall time, images per second.

    python Scripts/compare/train-lgg.py --data FOLDER --init dinov2_vits14.safetensors [--binary .build/release/vitrine] [--output DIR]

FOLDER holds a labels.csv (image, label 0 or 1, patient) and the images, such as brain MR slices with and without a glioma. Recipe:
DINOv2 ViT-S/14 at 224 pixels, AdamW 3e-5 with weight decay 0.01, cosine once an epoch, 5 epochs, batch 16, flips, the epoch of the least
validation loss. Vitrine draws the split (55 % to train on, 15 % to validate, 30 % to test, stratified and by patient, by --split-seed); its
predictions.csv tells PyTorch which images are where. Intervals are 95 %, by 10 000 resamplings of the test patients, the same for both, so
that the difference has one too. Needs the packages of train-pytorch.py.
"""

import argparse
import csv
import importlib.util
import json
import pathlib
import subprocess
import tempfile
import time

import numpy as np
import torch
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

RESAMPLES = 10_000


def auroc(truth, p):
    """By ranks; scikit-learn's takes a millisecond, which thousands of resamplings feel."""
    ranks, positives = rankdata(p)[truth == 1], (truth == 1).sum()
    return (ranks.sum() - positives * (positives + 1) / 2) / (positives * (len(truth) - positives))


def balanced_accuracy(truth, p):
    return ((p[truth == 1] > 0.5).mean() + (p[truth == 0] <= 0.5).mean()) / 2


def subset(table, count, folder):
    """A table of about `count` images, as many of each label, from as few patients as that takes."""
    rows = list(csv.DictReader(open(table)))
    left = {"0": count // 2, "1": count - count // 2}
    chosen = []
    for row in rows:
        if left[row["label"]] > 0:
            left[row["label"]] -= 1
            chosen.append(row)
    path = folder / "labels.csv"
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "label", "patient"])
        writer.writerows([(table.parent / r["image"]).resolve(), r["label"], r["patient"]] for r in chosen)
    return path


def compare(truth, patients, ours, theirs, seed=0):
    """Rows (metric, (value, lower, upper) of ours, of theirs, of their difference)."""
    names = sorted(set(patients))
    members = {name: np.flatnonzero(patients == name) for name in names}
    generator = np.random.default_rng(seed)
    for p in (ours, theirs):
        assert abs(auroc(truth, p) - roc_auc_score(truth, p)) < 1e-12
    rows = []
    for title, metric in [("AUROC", auroc), ("balanced accuracy", balanced_accuracy)]:
        values = []
        for _ in range(RESAMPLES):
            chosen = np.concatenate([members[names[k]] for k in generator.integers(len(names), size=len(names))])
            if len(set(truth[chosen])) == 2:
                values.append([metric(truth[chosen], ours[chosen]), metric(truth[chosen], theirs[chosen])])
        values = np.array(values)
        found = np.array([metric(truth, ours), metric(truth, theirs)])
        columns = [(found[0], values[:, 0]), (found[1], values[:, 1]), (found[0] - found[1], values[:, 0] - values[:, 1])]
        rows.append((title, [(value, *np.quantile(drawn, [0.025, 0.975])) for value, drawn in columns]))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--init", required=True)
    parser.add_argument("--binary", default=".build/release/vitrine")
    parser.add_argument("--output", type=pathlib.Path, help="keep Vitrine's run here")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--limit", type=int, help="images to use, for a try")
    parser.add_argument("--split-seed", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    spec = importlib.util.spec_from_file_location("train_pytorch", pathlib.Path(__file__).with_name("train-pytorch.py"))
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    torch.set_num_threads(options.threads)

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        table = options.data / "labels.csv"
        if options.limit:
            table = subset(table, options.limit, folder)
        run = options.output or folder / "run"
        began = time.perf_counter()
        subprocess.run(
            [options.binary, "train", "--data", table, "--init", options.init, "--optimizer", "adamw", "--learning-rate", "3e-5",
             "--weight-decay", "0.01", "--epochs", str(options.epochs), "--batch", "16", "--image-size", "224", "--preprocess", "resize",
             "--seed", str(options.seed), "--workers", str(options.threads), "--quiet", "--output", run, "--set", "flip=true",
             "validation-share=0.15", "test-share=0.3", f"split-seed={options.split_seed}"], check=True)
        ours_seconds = time.perf_counter() - began
        epochs = [json.loads(line)["epochRecord"] for line in (run / "log.jsonl").read_text().splitlines() if "epochRecord" in line]
        test = [row for row in csv.DictReader(open(run / "predictions.csv")) if row["split"] == "test"]
        print("PyTorch", torch.__version__)
        theirs = reference.fine_tune(table, options.init, run, seed=options.seed)

    truth = np.array([int(row["label"]) for row in test])
    patients = np.array([row["patient"] for row in test])
    ours = np.array([float(row["probability of 1"]) for row in test])
    other = np.array([theirs["probabilities"][row["image"]] for row in test])
    kept = next(e["epoch"] for e in reversed(epochs) if e["isBest"])
    print(f"\ntest split: {len(test)} images of {len(set(patients))} patients, {truth.sum()} positive\n")
    print("| | Vitrine | PyTorch | difference |\n|---|---|---|---|")
    for title, columns in compare(truth, patients, ours, other):
        print(f"| {title} | " + " | ".join(f"{v:.3f} ({low:.3f} to {high:.3f})" for v, low, high in columns) + " |")
    print(f"| kept epoch | {kept} | {theirs['epoch']} | |")
    print(f"| whole run (PyTorch without its start) | {ours_seconds:.1f} s | {theirs['seconds']:.1f} s | "
          f"ratio {ours_seconds / theirs['seconds']:.3f} |")
    rates = [np.median([e["imagesPerSecond"] for e in epochs]), np.median(theirs["rates"])]
    print(f"| training images/s, median epoch | {rates[0]:.2f} | {rates[1]:.2f} | time ratio {rates[1] / rates[0]:.3f} |")


if __name__ == "__main__":
    main()
