"""`vitrine explain` against pytorch-grad-cam on a full-size random vision transformer (default: ViT-B/16 at 224).

  python Scripts/compare/cam.py .build/release/vitrine
"""

import argparse
import pathlib
import sys
import tempfile

import numpy as np
import timm
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from safetensors.torch import save_file

from common import correlation, explain, largest

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("vitrine", help="the built program")
parser.add_argument("--architecture", default="vit_base_patch16_224", help="a timm model with a class token")
parser.add_argument("--height", type=int, default=224)
parser.add_argument("--width", type=int, default=224)
parser.add_argument("--images", type=int, default=2)
parser.add_argument("--target", type=int, default=1)
arguments = parser.parse_args()
torch.manual_seed(0)
model = timm.create_model(arguments.architecture, num_classes=10, img_size=(arguments.height, arguments.width)).eval()
for name, p in model.named_parameters():
    if p.ndim >= 2 and "token" not in name and "pos" not in name:
        torch.nn.init.normal_(p, std=p[0].numel() ** -0.5)
patch = model.patch_embed.patch_size[0]
rows, columns = arguments.height // patch, arguments.width // patch
cam = GradCAM(
    model=model, target_layers=[model.blocks[-1].norm1],
    reshape_transform=lambda t: t[:, model.num_prefix_tokens :].reshape(len(t), rows, columns, -1).permute(0, 3, 1, 2))
x = torch.nn.functional.interpolate(torch.randn(arguments.images, 3, rows, columns), (arguments.height, arguments.width), mode="bicubic")
options = {
    "gradcam": {}, "gradcam-augmented": {"aug_smooth": True}, "gradcam-study": {"aug_smooth": True, "eigen_smooth": True},
}
with tempfile.TemporaryDirectory() as folder:
    checkpoint = pathlib.Path(folder) / "model.safetensors"
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, checkpoint)
    grid = ["--position-grid", f"{rows}x{columns}"] if rows != columns else []
    inputs = {f"random-{i}": x[i].numpy() for i in range(len(x))}
    results = explain(
        arguments.vitrine, checkpoint, inputs, list(options), str(arguments.target), "--heads", model.blocks[0].attn.num_heads, *grid)
worst = 0.0
for i, name in enumerate(inputs):
    for method, option in options.items():
        theirs = cam(input_tensor=x[i : i + 1], targets=[ClassifierOutputTarget(arguments.target)], **option)[0]
        error = largest(results[name, method][1], theirs)
        worst = max(worst, error)
        print(f"{name} {method}: {error:.1e}, correlation {correlation(results[name, method][1], theirs):.6f}")
sys.exit(worst > 1e-4)
