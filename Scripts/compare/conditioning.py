"""How far transformer attribution can be trusted: the conditioning table of published and stabilised relevance.

For every image: `vitrine explain` (Float32) against the same rules in Float64 (relevance.py), the Float64 map under input noise,
the distance between the published and the stabilised map, and `vitrine explain --stability` (half a grey level, ten draws). Noise is
normal, its deviation in normalised units; one grey level is about 0.017.

  python Scripts/compare/conditioning.py .build/release/vitrine --model ../shared/models/busi_vits14_finetuned.pth \\
      --images ../shared/reference/busi/*.png --target 1
  python Scripts/compare/conditioning.py .build/release/vitrine --model lgg.safetensors --images ../shared/data/lgg_mri/images/* --count 20

A model fine-tuned by vitrine is taken as it is, LayerScale included.
"""

import argparse
import json
import pathlib
import sys

import numpy as np
import torch

from common import correlation, explain, load_state, preprocess, relative
from relevance import Model

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("vitrine", help="the built program")
parser.add_argument("--model", required=True, help="checkpoint under timm's names")
parser.add_argument("--images", required=True, nargs="+", type=pathlib.Path)
parser.add_argument("--count", type=int, help="take this many images, evenly spaced")
parser.add_argument("--target", default="1", help="class to explain")
parser.add_argument("--heads", type=int, help="attention heads (default: width / 64)")
parser.add_argument("--size", type=int, default=224)
parser.add_argument("--noise", type=float, nargs="+", default=[1e-9, 1e-5, 1e-3])
parser.add_argument("--epsilon", type=float, nargs="+", default=[0.003, 0.01, 0.03, 0.1, 0.3])
parser.add_argument("--workers", type=int, default=2)
parser.add_argument("--json", type=pathlib.Path, help="also write every figure here")
arguments = parser.parse_args()
if not pathlib.Path(arguments.model).exists():
    sys.exit(f"{arguments.model}: no such checkpoint; fine-tune one first, nothing compared")
images = sorted(arguments.images)
if arguments.count and arguments.count < len(images):
    images = [images[round(i * (len(images) - 1) / max(arguments.count - 1, 1))] for i in range(arguments.count)]
torch.set_num_threads(arguments.workers)

state = load_state(arguments.model)
heads = arguments.heads or state["cls_token"].shape[-1] // 64
model = Model(state, heads, torch.float64)
inputs = {path.stem: preprocess(path, arguments.size) for path in images}
rules = {"chefer": None} | {("chefer-stable" if e == 0.03 else f"chefer-stable:epsilon={e:g}"): e for e in arguments.epsilon}
stabilised = [m for m in rules if m != "chefer"]
float32 = explain(arguments.vitrine, arguments.model, inputs, list(rules), arguments.target, "--workers", arguments.workers, "--heads", heads)
quantised = explain(
    arguments.vitrine, arguments.model, inputs, ["chefer"] + [m for m in rules if m == "chefer-stable"] + ["attention", "gradcam"],
    arguments.target, "--workers", arguments.workers, "--heads", heads, "--stability")

rows = []
for index, (name, x) in enumerate(inputs.items()):
    generator = np.random.default_rng([index, 7])
    noise = {level: x + level * generator.standard_normal(x.shape) for level in arguments.noise}
    exact = {}
    for method, epsilon in rules.items():
        exact[method] = model.explain(torch.from_numpy(x).double(), int(arguments.target), epsilon)["chefer"].numpy()
        ours = float32[name, method][0].ravel()
        row = {"image": name, "method": method, "float32": relative(ours, exact[method]), "float32 correlation": correlation(ours, exact[method])}
        for level, noisy in noise.items():
            moved = model.explain(torch.from_numpy(noisy).double(), int(arguments.target), epsilon)["chefer"].numpy()
            row[f"noise {level:g}"] = relative(moved, exact[method])
            row[f"noise {level:g} correlation"] = correlation(moved, exact[method])
        row["with published"] = correlation(exact["chefer"], exact[method])
        rows.append(row)
        print(f"{name} {method}: " + ", ".join(f"{k} {v:.3g}" for k, v in row.items() if k not in ("image", "method")), file=sys.stderr)

print(f"{len(inputs)} images; differences relative to the map's maximum, largest over images; correlations lowest over images")
head = ["method", "Float32/Float64", "corr."] + [t for level in arguments.noise for t in (f"noise {level:g}", "corr.")] + ["mean corr. with published"]
print(" | ".join(head))
for method in rules:
    own = [r for r in rows if r["method"] == method]
    cells = [method, f"{max(r['float32'] for r in own):.1e}", f"{min(r['float32 correlation'] for r in own):.4f}"]
    for level in arguments.noise:
        cells += [f"{max(r[f'noise {level:g}'] for r in own):.1e}", f"{min(r[f'noise {level:g} correlation'] for r in own):.4f}"]
    print(" | ".join(cells + [f"{np.mean([r['with published'] for r in own]):.3f}"]))

print("\nquantisation stability (vitrine explain --stability: half a grey level, ten draws): Pearson, Spearman; mean over images of the mean, lowest minimum")
stability = {}
for (name, method), (_, _, line) in quantised.items():
    stability.setdefault(method, []).append(line["audit"]["stability"])
for method, values in stability.items():
    value = lambda key, over: over([v[key] for v in values if v.get(key) is not None])
    print(
        f"{method} | {value('pearsonMean', np.mean):.4f}, {value('spearmanMean', np.mean):.4f} | "
        f"{value('pearsonMinimum', min):.4f}, {value('spearmanMinimum', min):.4f}")
if arguments.json:
    arguments.json.write_text(json.dumps({"rows": rows, "stability": stability}, indent=1) + "\n")
