"""Time of a training step, Vitrine and PyTorch in turns on the same machine: the same ViT, batch, image size and number of threads.

    python Scripts/compare/train-step-time.py --data labels.csv --init dinov2.safetensors [--binary .build/release/vitrine]

Each turn is one epoch over the same images (decoded beforehand in both), AdamW; the first step of a turn is part of it. Needs the
packages of train-pytorch.py.
"""

import argparse
import csv
import importlib.util
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import torch


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--init", required=True)
    parser.add_argument("--binary", default=".build/release/vitrine")
    parser.add_argument("--model", default="vit_small_patch14_dinov2")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    spec = importlib.util.spec_from_file_location("train_pytorch", pathlib.Path(__file__).with_name("train-pytorch.py"))
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    torch.set_num_threads(options.threads)

    rows = list(csv.DictReader(open(options.data)))
    half = options.steps * options.batch // 2
    chosen = [r for r in rows if r["label"] == "1"][:half] + [r for r in rows if r["label"] == "0"][:half]
    size = 224
    images = torch.stack([reference.read_image(options.data.parent / r["image"], size) for r in chosen])
    labels = torch.tensor([int(r["label"]) for r in chosen])
    model = reference.make_model(options.model, options.init, size, 2)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-5)
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        table = pathlib.Path(folder) / "labels.csv"
        table.write_text("image,label,split\n" + "".join(f"{(options.data.parent / r['image']).resolve()},{r['label']},train\n" for r in chosen))
        for turn in range(options.turns):
            output = pathlib.Path(folder) / f"run{turn}"
            subprocess.run(
                [options.binary, "train", "--data", table, "--init", options.init, "--epochs", "1", "--batch", str(options.batch),
                 "--learning-rate", "1e-5", "--set", "validation-share=0", "--workers", str(options.threads), "--quiet",
                 "--output", output], check=True, stdout=subprocess.DEVNULL)
            last = json.loads((output / "log.jsonl").read_text().splitlines()[-1])["epochRecord"]
            ours.append(options.batch / last["imagesPerSecond"])
            began = time.perf_counter()
            order = torch.randperm(len(chosen))
            for i in range(options.steps):
                batch = order[i * options.batch:(i + 1) * options.batch]
                reference.train_step(model, optimiser, images[batch], labels[batch])
            theirs.append((time.perf_counter() - began) / options.steps)
            print(f"turn {turn + 1}: vitrine {ours[-1]:.3f} s/step, torch {theirs[-1]:.3f} s/step, ratio {ours[-1] / theirs[-1]:.3f}; "
                  f"load {os.getloadavg()[0]:.1f}", flush=True)
    a, b = statistics.median(ours), statistics.median(theirs)
    print(f"median: vitrine {a:.3f} s/step ({options.batch / a:.2f} images/s), torch {b:.3f} s/step ({options.batch / b:.2f} images/s), "
          f"ratio {a / b:.3f}")


if __name__ == "__main__":
    main()
