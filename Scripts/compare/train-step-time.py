"""Time of a training step, Vitrine and PyTorch in turns on the same machine: the same ViT, batch, image size and number of threads.

    python Scripts/compare/train-step-time.py [--binary .build/release/vitrine] [--case vit_base_patch16_224:8 ...] [--turns 5]

A case is a timm model and a batch. Each turn trains two epochs of --steps steps by AdamW on either side, and the second epoch is timed: the
memory is then in place. Both start from the same random weights. Vitrine's time includes making the batch from decoded images, PyTorch
gets it ready-made; PyTorch's optimiser is the fused one. The order of the sides alternates. Images are phantoms that Vitrine makes.
Needs the packages of train-pytorch.py.
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

import safetensors.torch
import torch

SIZE = 224


def measure(reference, options, case, folder):
    name, batch = case.rsplit(":", 1)
    batch = int(batch)
    root = folder / name
    subprocess.run([options.binary, "phantom", "--task", "colon", "--count", str(options.steps * batch), "--seed", "1", "--output",
                    root / "data"], check=True, stdout=subprocess.DEVNULL)
    rows = list(csv.DictReader(open(root / "data/labels.csv")))
    table = root / "data/train.csv"
    table.write_text("image,label,split\n" + "".join(f"{r['image']},{r['label']},train\n" for r in rows))
    images = torch.stack([reference.read_image(root / "data" / r["image"], SIZE) for r in rows])
    labels = torch.tensor([int(r["label"]) for r in rows])
    torch.manual_seed(0)
    model = reference.make_model(name, None, SIZE, 2)
    init = root / "init.safetensors"
    safetensors.torch.save_file({k: v for k, v in model.state_dict().items() if not k.startswith("head.")}, init)
    heads = model.blocks[0].attn.num_heads
    start = {k: v.clone() for k, v in model.state_dict().items()}

    def ours(turn):
        output = root / f"run{turn}"
        subprocess.run(
            [options.binary, "train", "--data", table, "--init", init, "--heads", str(heads), "--image-size", str(SIZE), "--epochs", "2",
             "--batch", str(batch), "--optimizer", "adamw", "--learning-rate", "1e-5", "--set", "validation-share=0", "schedule=constant",
             "--workers", str(options.threads), "--quiet", "--output", output], check=True, stdout=subprocess.DEVNULL)
        last = json.loads((output / "log.jsonl").read_text().splitlines()[-1])["epochRecord"]
        assert last["steps"] == 2 * options.steps
        for path in output.glob("*.safetensors"):
            path.unlink()
        return batch / last["imagesPerSecond"]

    def theirs(turn):
        model.load_state_dict(start)
        optimiser = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0.05, fused=True)
        for epoch in range(2):
            order = torch.randperm(len(rows))
            began = time.perf_counter()
            for i in range(options.steps):
                chosen = order[i * batch:(i + 1) * batch]
                reference.train_step(model, optimiser, images[chosen], labels[chosen])
        return (time.perf_counter() - began) / options.steps

    times = {ours: [], theirs: []}
    for turn in range(options.turns):
        for side in (ours, theirs) if turn % 2 == 0 else (theirs, ours):
            times[side].append(side(turn))
        a, b = times[ours][-1], times[theirs][-1]
        print(f"{case} turn {turn + 1}: vitrine {a:.3f} s/step, torch {b:.3f} s/step, ratio {a / b:.3f}; load {os.getloadavg()[0]:.1f}",
              flush=True)
    a, b = statistics.median(times[ours]), statistics.median(times[theirs])
    ratios = [x / y for x, y in zip(times[ours], times[theirs])]
    print(f"{case} median: vitrine {a:.3f} s/step ({batch / a:.2f} images/s), torch {b:.3f} s/step ({batch / b:.2f} images/s), ratio "
          f"{a / b:.3f} (single turns {min(ratios):.3f} to {max(ratios):.3f})", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=".build/release/vitrine")
    parser.add_argument("--case", nargs="+", default=["vit_base_patch16_224:8", "vit_small_patch14_dinov2:16"])
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    spec = importlib.util.spec_from_file_location("train_pytorch", pathlib.Path(__file__).with_name("train-pytorch.py"))
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    torch.set_num_threads(options.threads)
    print("torch", torch.__version__, torch.__config__.parallel_info().splitlines()[1].strip())
    with tempfile.TemporaryDirectory() as folder:
        for case in options.case:
            measure(reference, options, case, pathlib.Path(folder))


if __name__ == "__main__":
    main()
