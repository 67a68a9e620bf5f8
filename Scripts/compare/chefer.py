"""`vitrine explain --method chefer` against txv on a random vision transformer (default: 12 blocks of width 192 at 224).

txv 0.0.2 passes relevance through its blocks in another order than Chefer et al. 2021 and normalises the rows of its product; see
Scripts/fixtures/explain.py. Here its modules are put in the paper's order; what it returns unchanged is told beside.

  python Scripts/compare/chefer.py .build/release/vitrine
"""

import argparse
import pathlib
import sys
import tempfile

import torch
import txv.lrp_models
from safetensors.torch import save_file
from txv.exp import BeyondAttention

from common import correlation, explain, relative
from relevance import Model


class Block(txv.lrp_models.Block):
    """txv's block, its relevance passed in the paper's order."""

    def relprop(self, cam, alpha, **kwargs):
        skip, branch = self.add2.relprop(cam, alpha)
        cam = self.clone2.relprop((skip, self.norm2.relprop(self.mlp.relprop(branch, alpha), alpha)), alpha)
        skip, branch = self.add1.relprop(cam, alpha)
        return self.clone1.relprop((skip, self.norm1.relprop(self.attn.relprop(branch, alpha), alpha)), alpha)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("vitrine", help="the built program")
parser.add_argument("--width", type=int, default=192)
parser.add_argument("--depth", type=int, default=12)
parser.add_argument("--images", type=int, default=2)
arguments = parser.parse_args()


def make():
    torch.manual_seed(0)
    model = txv.lrp_models.LRPVisionTransformer(
        num_classes=10, embed_dim=arguments.width, depth=arguments.depth, num_heads=arguments.width // 64, qkv_bias=True)
    for name, p in model.named_parameters():
        if p.ndim >= 2 and "token" not in name and "pos" not in name:
            torch.nn.init.normal_(p, std=p[0].numel() ** -0.5)
        if "norm" in name or "token" in name or "pos" in name:
            p.data.mul_(0.5).add_(0.1 * torch.randn(p.shape))
    for m in model.modules():
        if isinstance(m, torch.nn.LayerNorm):
            m.eps = 1e-6
    return model.eval().double()


installed = make()
txv.lrp_models.Block = Block
model = make()
x = torch.nn.functional.interpolate(torch.randn(arguments.images, 3, 14, 14), (224, 224), mode="bicubic")
with tempfile.TemporaryDirectory() as folder:
    checkpoint = pathlib.Path(folder) / "model.safetensors"
    state = {k: v.float().contiguous() for k, v in model.state_dict().items()}
    save_file(state, checkpoint)
    inputs = {f"random-{i}": x[i].numpy() for i in range(len(x))}
    results = explain(arguments.vitrine, checkpoint, inputs, ["chefer"], "1", "--heads", arguments.width // 64)
twin = Model({k: v.double() for k, v in model.state_dict().items()}, arguments.width // 64, torch.float64)
worst = 0.0
for i, name in enumerate(inputs):
    image = x[i : i + 1].double()
    unchanged = BeyondAttention(installed).explain(image, 1)[0].detach()
    BeyondAttention(model).explain(image, 1)
    joint = identity = torch.eye(197, dtype=torch.float64)
    for block in model.blocks:
        joint = ((block.attn.get_attgradients()[0] * block.attn.get_attn_cam()[0]).clamp(min=0).mean(0) + identity) @ joint
    theirs = joint[0, 1:].detach()
    ours = results[name, "chefer"][0].ravel()
    exact = twin.explain(image[0], 1)["chefer"]
    worst = max(worst, relative(exact, theirs))
    print(
        f"{name}: vitrine {relative(ours, theirs):.1e} of the maximum, correlation {correlation(ours, theirs):.6f}; the Float64 yardstick "
        f"{relative(exact, theirs):.1e}; txv unchanged correlates {correlation(unchanged, theirs):.3f}")
sys.exit(worst > 1e-6)
