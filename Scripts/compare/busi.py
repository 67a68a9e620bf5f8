"""`vitrine explain` on five ultrasound images against what the study's code returned for them.

  python Scripts/compare/busi.py .build/release/vitrine ../shared
"""

import argparse
import pathlib
import sys

import numpy as np
from safetensors.torch import load_file

from common import DEVIATION, MEAN, correlation, explain, largest, preprocess, relative

# Method, key of the displayed map, key of the native grid, bar on the displayed map (None: ill-conditioned, correlation told).
TABLE = [
    ("attention", "attention", None, 1e-3), ("gradcam", "gradcam_plain", None, 1e-3),
    ("gradcam-augmented", "gradcam_aug", None, 1e-3), ("gradcam-study", "gradcam_paper", None, 1e-3),
    ("rollout", None, "rollout_grid", 1e-4), ("chefer", "chefer", "chefer_grid", None),
    ("lrp-rollout", "lrp_rollout", "lrp_rollout_grid", None), ("lrp-last-layer", "lrp_last_layer", "lrp_last_layer_grid", None),
    ("lrp-full", "lrp_full", None, None),
]

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("vitrine", help="the built program")
parser.add_argument("shared", type=pathlib.Path, help="folder with models/ and reference/busi")
arguments = parser.parse_args()
files = {p.stem: load_file(p) for p in sorted((arguments.shared / "reference" / "busi").glob("*.safetensors"))}
inputs = {name: file["input"].numpy() for name, file in files.items()}
for name, x in inputs.items():
    picture = preprocess(arguments.shared / "reference" / "busi" / f"{name}.png", 224)
    bytes_apart = int((np.rint((x * DEVIATION + MEAN) * 255) != np.rint((picture * DEVIATION + MEAN) * 255)).sum())
    print(f"{name}: {bytes_apart} bytes of the input differ from Pillow's resize")
results = explain(
    arguments.vitrine, arguments.shared / "models" / "busi_vits14_finetuned.pth", inputs, [row[0] for row in TABLE] + ["gradcam-eigen"], "1")
failed = False
for name, file in files.items():
    print(f"{name}: logits {largest(results[name, 'attention'][2]['logits'], file['logits'].ravel()):.1e}")
    for method, displayed, grid, bar in TABLE:
        ours_grid, ours, line = results[name, method]
        key = displayed or grid
        error = largest(ours, file[displayed]) if displayed else relative(ours_grid, file[grid])
        told = f"  {method}: {error:.1e}, correlation {correlation(ours if displayed else ours_grid, file[key]):.6f}"
        if bar is not None and error > bar:
            told, failed = told + f"  above {bar:g}", True
        if method == "gradcam-study":
            told += f"; {line['audit']['notes']['signs-agreeing'][0]:.0f} of 6 signs as in gradcam-eigen, correlation with gradcam "
            told += f"{correlation(ours, results[name, 'gradcam'][1]):.3f}"
        print(told)
sys.exit(failed)
