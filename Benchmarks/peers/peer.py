"""The public packages' side of a benchmark: one workload, run each time a line comes in; answers with its milliseconds.

    python peer.py WORKLOAD --model FILE [--image FILE] [--batch N] [--threads N] [--samples N]
"""

import argparse
import os
import sys
import tempfile
import time

import numpy as np

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("workload")
parser.add_argument("--model")
parser.add_argument("--image")
parser.add_argument("--batch", type=int, default=1)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--samples", type=int, default=16, help="steps or noisy copies of a method that asks many times")
options = parser.parse_args()

# Images that many-pass methods put into one pass: as many as Vitrine's probe does for ViT-B/16.
TOGETHER = 5


def timm_model(fused=True):
    import timm
    import torch
    from safetensors.torch import load_file

    torch.set_num_threads(options.threads)
    timm.layers.set_fused_attn(fused)
    model = timm.create_model("vit_base_patch16_224", num_classes=2)
    model.load_state_dict(load_file(options.model))
    return torch, model.eval()


def images(torch, count=None):
    torch.manual_seed(1)
    return torch.rand(count or options.batch, 3, 224, 224) * 2 - 1


def without_gradients(torch, model, x):
    def run():
        with torch.inference_mode():
            model(x)

    return run


# Forward passes.


def eager():
    torch, model = timm_model()
    return without_gradients(torch, model, images(torch))


def compiled():
    torch, model = timm_model()
    return without_gradients(torch, torch.compile(model), images(torch))


def tuned():
    """Inductor with weights frozen and packed, choosing among its own C++ products and MKL's by trial."""
    torch, model = timm_model()
    import torch._inductor.config as inductor

    inductor.freezing = True
    inductor.max_autotune_gemm_backends = "CPP,ATEN"
    with torch.no_grad():
        model = torch.compile(model, mode="max-autotune")
    return without_gradients(torch, model, images(torch))


def exported(folder, batch):
    torch, model = timm_model(fused=False)
    path = os.path.join(folder, "model.onnx")
    torch.onnx.export(model, (images(torch, batch),), path, input_names=["x"], dynamo=False)
    return path, images(torch).numpy()


def onnxruntime(optimised=False):
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        path, x = exported(folder, options.batch)
        if optimised:
            from onnxruntime.transformers.optimizer import optimize_model

            optimize_model(path, model_type="vit", num_heads=12, hidden_size=768, opt_level=1).save_model_to_file(path)
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = options.threads
        session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"x": x})


def onnxruntime_optimised():
    """The graph after ONNX Runtime's optimiser for transformers: attention, GELU and norms as one operation each."""
    return onnxruntime(optimised=True)


def compiled_openvino(batch, hint):
    import openvino

    with tempfile.TemporaryDirectory() as folder:
        path, x = exported(folder, batch)
        settings = {"PERFORMANCE_HINT": hint, "INFERENCE_NUM_THREADS": options.threads, "INFERENCE_PRECISION_HINT": "f32"}
        return openvino, openvino.Core().compile_model(path, "CPU", settings), x


def openvino_latency():
    """The whole batch in one request."""
    _, model, x = compiled_openvino(options.batch, "LATENCY")
    request = model.create_infer_request()
    return lambda: request.infer([x], share_inputs=True)


def openvino_throughput():
    """The images of the batch one by one, several requests in flight."""
    openvino, model, x = compiled_openvino(1, "THROUGHPUT")
    queue = openvino.AsyncInferQueue(model)

    def run():
        for image in x:
            queue.start_async([image[None]], share_inputs=True)
        queue.wait_all()

    return run


# Maps of one pass.


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


# Methods of many passes.


def integrated_gradients():
    from captum.attr import IntegratedGradients

    torch, model = timm_model()
    method, x = IntegratedGradients(model), images(torch, 1)
    return lambda: method.attribute(x, target=1, n_steps=options.samples, internal_batch_size=TOGETHER)


def smoothgrad():
    from captum.attr import NoiseTunnel, Saliency

    torch, model = timm_model()
    method, x = NoiseTunnel(Saliency(model)), images(torch, 1)
    return lambda: method.attribute(
        x, target=1, abs=False, nt_type="smoothgrad", nt_samples=options.samples, nt_samples_batch_size=TOGETHER, stdevs=0.3)


def rise():
    """Random masks painted over one image, made beforehand."""
    torch, model = timm_model()
    model, x = torch.compile(model), images(torch, 1)
    cells = (torch.rand(options.samples, 1, 7, 7) < 0.5).float()
    masks = torch.nn.functional.interpolate(cells, (224, 224), mode="bilinear")
    return painted(torch, model, [x * part for part in masks.split(TOGETHER)])


def curves():
    """Deletion and insertion in twenty steps: patches in the mean colour."""
    torch, model = timm_model()
    model, x = torch.compile(model), images(torch, 1)
    rank = torch.randperm(196).reshape(1, 1, 14, 14)
    counts = [round(196 * step / 20) for step in range(21)]
    kept = [rank >= n for n in counts] + [rank < n for n in counts[1:-1]]
    masks = torch.cat([k.float().repeat_interleave(16, 2).repeat_interleave(16, 3) for k in kept])
    return painted(torch, model, [x * part for part in masks.split(TOGETHER)])


def painted(torch, model, batches):
    def run():
        with torch.inference_mode():
            for batch in batches:
                model(batch).softmax(1)

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
