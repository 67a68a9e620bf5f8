"""What the comparison scripts share: running the product, measuring differences, reading checkpoints."""

import json
import pathlib
import subprocess
import tempfile

import numpy as np
import torch

MEAN = np.array([0.485, 0.456, 0.406], np.float32)[:, None, None]
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)[:, None, None]


def load_state(path):
    """A state dict under timm's names, as Float32."""
    if str(path).endswith(".safetensors"):
        from safetensors.torch import load_file

        state = load_file(path)
    else:
        state = torch.load(path, map_location="cpu", weights_only=True)
    return {k: v.float() for k, v in state.items()}


def preprocess(path, size):
    """The study's preprocessing: bilinear resize by Pillow, ImageNet normalisation."""
    from PIL import Image

    image = Image.open(path).convert("RGB").resize((size, size), Image.BILINEAR)
    return (np.asarray(image, np.float32).transpose(2, 0, 1) / 255 - MEAN) / DEVIATION


def explain(vitrine, checkpoint, inputs, methods, target, *more):
    """Runs `vitrine explain` on arrays [3, H, W]; returns {(name, method): (grid, displayed, result line)} and the logits by name."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name, array in inputs.items():
            np.save(folder / f"{name}.npy", np.ascontiguousarray(array, np.float32))
        command = [vitrine, "explain", "--model", checkpoint, "--image", *[folder / f"{n}.npy" for n in inputs], "--method", *methods]
        command += ["--target", target, "--preprocess", "none", "--output", folder / "out", "--quiet", *more]
        subprocess.run([str(c) for c in command], check=True)
        results = {}
        for line in (folder / "out" / "results.jsonl").read_text().splitlines():
            line = json.loads(line)
            if "method" not in line:
                continue
            name = pathlib.Path(line["image"]).stem
            file = line["method"].replace(":", "_").replace("=", "-").replace(",", "_")
            results[name, line["method"]] = (
                np.load(folder / "out" / f"{name}.{file}.grid.npy"), np.load(folder / "out" / f"{name}.{file}.npy"), line)
        return results


def correlation(a, b):
    return float(np.corrcoef(np.asarray(a, np.float64).ravel(), np.asarray(b, np.float64).ravel())[0, 1])


def relative(a, b):
    """Largest difference relative to the largest value of b."""
    a, b = np.asarray(a, np.float64).ravel(), np.asarray(b, np.float64).ravel()
    return float(np.abs(a - b).max() / np.abs(b).max())


def largest(a, b):
    return float(np.abs(np.asarray(a, np.float64) - np.asarray(b, np.float64)).max())
