"""What `precision=double` is worth: relevance maps with and without it against the same rules in Float64 (relevance.py).

Every image is taken as it is and mirrored. Prints the lowest correlation and the largest difference over the map's maximum.

  python Scripts/compare/precision.py .build/release/vitrine --model ../shared/models/busi_vits14_finetuned.pth \\
      --images ../shared/reference/busi/*.png --target 1
"""

import argparse
import pathlib

import numpy as np
import torch

from common import correlation, explain, load_state, preprocess, relative
from relevance import Model

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("vitrine", help="the built program")
parser.add_argument("--model", required=True, help="checkpoint under timm's names")
parser.add_argument("--images", required=True, nargs="+", type=pathlib.Path)
parser.add_argument("--target", default="1", help="class to explain")
parser.add_argument("--heads", type=int, help="attention heads (default: width / 64)")
parser.add_argument("--size", type=int, default=224)
parser.add_argument("--workers", type=int, default=2)
parser.add_argument("--verbose", action="store_true", help="also every image")
arguments = parser.parse_args()
torch.set_num_threads(arguments.workers)

state = load_state(arguments.model)
heads = arguments.heads or state["cls_token"].shape[-1] // 64
model = Model(state, heads, torch.float64)
inputs = {}
for path in sorted(arguments.images):
    x = preprocess(path, arguments.size)
    inputs |= {path.stem: x, f"{path.stem}-mirrored": np.ascontiguousarray(x[:, :, ::-1])}
keys = {"chefer": "chefer", "chefer-stable": "chefer", "lrp-rollout": "rollout", "lrp-last-layer": "last", "lrp-full": "full"}
methods = [m + p for m in keys for p in ("", ":precision=double")]
found = explain(
    arguments.vitrine, arguments.model, inputs, methods, arguments.target, "--workers", arguments.workers, "--heads", heads)
worst = {m: [] for m in methods}
for name, x in inputs.items():
    exact = {e: model.explain(torch.from_numpy(x).double(), int(arguments.target), e, pixels=e is None) for e in (None, 0.03)}
    for method in methods:
        base = method.split(":")[0]
        expected = exact[0.03 if base == "chefer-stable" else None][keys[base]].numpy().ravel()
        ours = found[name, method][0].ravel()
        worst[method].append((correlation(ours, expected), relative(ours, expected)))
        if arguments.verbose:
            print(name, method, "%.6f %.1e" % worst[method][-1], flush=True)
print(f"{len(inputs)} images: lowest correlation with Float64, largest difference over the maximum; medians")
for method, pairs in worst.items():
    r, d = np.array(pairs).T
    print(f"{method} | {r.min():.6f} | {d.max():.1e} | {np.median(r):.6f} | {np.median(d):.1e}")
