"""The public packages' side of a benchmark: one workload, run each time a line comes in; answers with its milliseconds.

    python peer.py WORKLOAD --model FILE [--image FILE] [--batch N] [--threads N]
"""

import argparse
import sys
import time

import numpy as np

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("workload")
parser.add_argument("--model")
parser.add_argument("--image")
parser.add_argument("--batch", type=int, default=1)
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()


def timm_model(fused=True):
    import timm
    import torch
    from safetensors.torch import load_file

    torch.set_num_threads(options.threads)
    timm.layers.set_fused_attn(fused)
    model = timm.create_model("vit_base_patch16_224", num_classes=2)
    model.load_state_dict(load_file(options.model))
    return torch, model.eval()


def images(torch):
    torch.manual_seed(1)
    return torch.rand(options.batch, 3, 224, 224) * 2 - 1


def eager():
    torch, model = timm_model()
    x = images(torch)

    def run():
        with torch.inference_mode():
            model(x)

    return run


def compiled():
    torch, model = timm_model()
    x = images(torch)
    model = torch.compile(model)

    def run():
        with torch.inference_mode():
            model(x)

    return run


def onnxruntime():
    import os
    import tempfile

    import onnxruntime

    torch, model = timm_model(fused=False)
    x = images(torch)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        torch.onnx.export(model, (x,), path, input_names=["x"], dynamo=False)
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = options.threads
        session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    x = x.numpy()
    return lambda: session.run(None, {"x": x})


def study_cam():
    from pytorch_grad_cam import GradCAM

    torch, model = timm_model()
    cam = GradCAM(
        model=model, target_layers=[model.blocks[-1].norm1],
        reshape_transform=lambda t: t[:, 1:].reshape(len(t), 14, 14, -1).permute(0, 3, 1, 2))
    x = images(torch)
    return lambda: cam(input_tensor=x, targets=None, aug_smooth=True, eigen_smooth=True)


def attention():
    torch, model = timm_model(fused=False)
    x = images(torch)
    kept = {}
    model.blocks[-1].attn.attn_drop.register_forward_hook(lambda module, inputs, output: kept.update(a=output))

    def run():
        with torch.inference_mode():
            model(x)
        kept["a"].mean(1)[:, 0, 1:].numpy()

    return run


def chefer():
    import torch
    import txv.lrp_models
    from safetensors.torch import load_file
    from txv.exp import BeyondAttention

    torch.set_num_threads(options.threads)
    model = txv.lrp_models.LRPVisionTransformer(num_classes=2, embed_dim=768, depth=12, num_heads=12, qkv_bias=True)
    model.load_state_dict(load_file(options.model))
    explainer = BeyondAttention(model.eval())
    x = images(torch)

    def run():
        # The package explains one image at a time.
        for i in range(options.batch):
            explainer.explain(x[i : i + 1], 1)

    return run


def maps():
    parts = [attention(), study_cam(), chefer()]

    def run():
        for part in parts:
            part()

    return run


def decode():
    from PIL import Image

    mean, deviation = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])

    def run():
        for _ in range(20):
            picture = Image.open(options.image).convert("RGB").resize((224, 224), Image.BILINEAR)
            np.ascontiguousarray(((np.asarray(picture, np.float32) / 255 - mean) / deviation).transpose(2, 0, 1))

    return run


run = globals()[options.workload]()
run()
print("ready", flush=True)
for _ in sys.stdin:
    begun = time.perf_counter()
    run()
    print((time.perf_counter() - begun) * 1e3, flush=True)
