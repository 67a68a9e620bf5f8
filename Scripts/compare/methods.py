"""Prints, method by method, how far the program's maps lie from those that Scripts/fixtures wrote: the largest difference in shares of the
largest value, over models and images.

Usage: python Scripts/compare/methods.py [path of vitrine]. Needs numpy and safetensors.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from safetensors.numpy import load_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "Tests" / "Fixtures"
VITRINE = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / ".build" / "release" / "vitrine")
MODELS = {
    "class-token": ["--position-grid", "4x6"],
    "registers": ["--position-grid", "4x6"],
    "mean": ["--position-grid", "4x6", "--pooling", "mean", "--activation", "gelu"],
    "swiglu": ["--position-grid", "4x6", "--activation", "swiglu"],
    "torchvision": ["--position-grid", "6x6"],
}
TARGETS = [1, 3]
# The fixture holds displayed maps of these, as pytorch-grad-cam returns them.
DISPLAYED = [
    "gradcam", "hirescam", "gradcam-plusplus", "elementwise-cam", "layercam", "xgradcam", "segeigencam", "fem", "scorecam", "ablationcam",
]


def file_name(method):
    return method.replace(":", "_").replace("=", "-").replace(",", "_")


def main():
    errors = {}
    for model, options in MODELS.items():
        maps = load_file(FIXTURES / "methods" / f"{model}-maps.safetensors")
        for b, target in enumerate(TARGETS):
            methods = [key[2:] for key in sorted(maps) if key.startswith(f"{b}.")]
            with tempfile.TemporaryDirectory() as folder:
                np.save(f"{folder}/x.npy", maps["input"][b])
                run = subprocess.run(
                    [VITRINE, "explain", "--model", FIXTURES / "methods" / f"{model}.safetensors", "--heads", "3", *options, "--image",
                     f"{folder}/x.npy", "--method", *methods, "--target", str(target), "--quiet", "-o", folder],
                    capture_output=True, text=True)
                for method in methods:
                    expected = maps[f"{b}.{method}"]
                    name = method.split(":")[0]
                    kind = "" if name in DISPLAYED else ".grid"
                    try:
                        found = np.load(f"{folder}/x.{file_name(method)}{kind}.npy")
                    except FileNotFoundError:
                        print(f"{model}, image {b}, {method}: no map; {run.stderr.strip().splitlines()[-1]}")
                        continue
                    if found.size != expected.size:
                        found = np.kron(found, np.ones((expected.shape[0] // found.shape[0], expected.shape[1] // found.shape[1])))
                    largest = np.abs(expected).max()
                    error = np.abs(found.ravel() - expected.ravel()).max() / (largest if largest > 0 else 1)
                    errors.setdefault(method, {}).setdefault(model, []).append(error)
    print("| method | " + " | ".join(MODELS) + " |\n|---" * 1 + "|---" * len(MODELS) + "|")
    for method in sorted(errors):
        cells = [f"{max(errors[method][m]):.0e}" if m in errors[method] else "" for m in MODELS]
        print(f"| `{method}` | " + " | ".join(cells) + " |")
    print(f"largest: {max(max(e) for m in errors.values() for e in m.values()):.1e}")


if __name__ == "__main__":
    main()
