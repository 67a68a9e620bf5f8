"""Chefer's relevance propagation (Chefer, Gur & Wolf 2021, arXiv:2012.09838) in PyTorch, in any precision: the yardstick of the comparisons.

Covers timm's plain vision transformer: class token, exact GELU, optional LayerScale, one image at a time, alpha = 1.
"""

import torch
import torch.nn.functional as F


def divide(a, b):
    """a / (b + 1e-9), and 0 where b is 0."""
    denominator = b + 1e-9
    denominator = torch.where(denominator == 0, torch.full_like(denominator, 1e-9), denominator)
    return torch.where(b == 0, torch.zeros_like(a), a / denominator)


def linear(x, weight, r):
    """Each output's relevance goes to its positive products."""
    plus, minus = weight.clamp(min=0), weight.clamp(max=0)
    x_plus, x_minus = x.clamp(min=0), x.clamp(max=0)
    s = divide(r, x_plus @ plus.T + x_minus @ minus.T)
    return x_plus * (s @ plus) + x_minus * (s @ minus)


def add(r, a, b, epsilon):
    """Residual addition; `epsilon` None is the published rule, else the stabilised one."""
    q = a + b
    s = divide(r, q) if epsilon is None else r * q / (q * q + (epsilon * q.std(unbiased=False)) ** 2)
    a, b = a * s, b * s
    sum_a, sum_b, total = a.sum(), b.sum(), r.sum()
    both = sum_a.abs() + sum_b.abs()
    return a * divide(divide(sum_a.abs(), both) * total, sum_a), b * divide(divide(sum_b.abs(), both) * total, sum_b)


def clone(r1, r2, x):
    return x * (divide(r1, x) + divide(r2, x))


class Model:
    """A state dict under timm's names, run in one precision."""

    def __init__(self, state, heads, dtype, epsilon=1e-6):
        self.state = {k: v.to(dtype) for k, v in state.items()}
        self.heads, self.dtype, self.epsilon = heads, dtype, epsilon
        self.depth = 1 + max(int(k.split(".")[1]) for k in state if k.startswith("blocks."))
        self.width = state["cls_token"].shape[-1]
        self.patch = state["patch_embed.proj.weight"].shape[-1]

    def norm(self, x, name):
        return F.layer_norm(x, (self.width,), self.state[name + ".weight"], self.state[name + ".bias"], self.epsilon)

    def linear(self, x, name):
        return F.linear(x, self.state[name + ".weight"], self.state[name + ".bias"])

    def scaled(self, x, name):
        return x * self.state[name] if name in self.state else x

    def run(self, image):
        """Logits and the inner values that the backward passes read."""
        patches = F.conv2d(
            image.to(self.dtype)[None], self.state["patch_embed.proj.weight"], self.state["patch_embed.proj.bias"], stride=self.patch)[0]
        positions = self.state["pos_embed"][0]
        tokens = torch.cat([self.state["cls_token"][0], patches.flatten(1).T])
        z, values = tokens + positions, []
        for block in (f"blocks.{i}." for i in range(self.depth)):
            u = self.norm(z, block + "norm1")
            q, k, v = self.linear(u, block + "attn.qkv").view(len(z), 3, self.heads, -1).permute(1, 2, 0, 3)
            a = (q @ k.transpose(1, 2) * q.shape[-1] ** -0.5).softmax(-1)
            if not a.requires_grad:
                a.requires_grad_()
            a.retain_grad()
            o = (a @ v).transpose(0, 1).reshape(len(z), -1)
            p = self.scaled(self.linear(o, block + "attn.proj"), block + "ls1.gamma")
            middle = z + p
            w = self.norm(middle, block + "norm2")
            g = F.gelu(self.linear(w, block + "mlp.fc1"))
            f = self.scaled(self.linear(g, block + "mlp.fc2"), block + "ls2.gamma")
            values.append((z, u, q, k, v, a, o, p, middle, w, g, f))
            z = middle + f
        pooled = self.norm(z, "norm")
        return self.linear(pooled[0], "head"), pooled, values, tokens, positions

    def explain(self, image, target, epsilon=None, pixels=False):
        """Maps of one image: `chefer`, `rollout`, `last` [P], and with `pixels` also `full` [H, W]."""
        logits, pooled, values, tokens, positions = self.run(image)
        logits[target].backward()
        gradients = [v[5].grad for v in values]
        with torch.no_grad():
            start = torch.zeros_like(logits)
            start[target] = 1
            r = torch.zeros_like(pooled)
            r[0] = pooled[0] * divide(linear(pooled[:1], self.state["head.weight"], start[None])[0], pooled[0])
            relevances = [None] * self.depth
            for i in reversed(range(self.depth)):
                block = f"blocks.{i}."
                z, u, q, k, v, a, o, p, middle, w, g, f = values[i]
                skip, branch = add(r, middle, f, epsilon)
                branch = linear(g, self.state[block + "mlp.fc2.weight"], branch)
                r = clone(skip, linear(w, self.state[block + "mlp.fc1.weight"], branch), middle)
                skip, branch = add(r, z, p, epsilon)
                context = linear(o, self.state[block + "attn.proj.weight"], branch).view(len(z), self.heads, -1).transpose(0, 1)
                s = divide(context, a @ v)
                relevances[i] = a * (s @ v.transpose(1, 2)) / 2
                value = v * (a.transpose(1, 2) @ s) / 2
                s = divide(relevances[i], q @ k.transpose(1, 2))
                query, key = q * (s @ k) / 2, k * (s.transpose(1, 2) @ q) / 2
                qkv = torch.stack([query, key, value]).permute(2, 0, 1, 3).reshape(len(z), -1)
                r = clone(skip, linear(u, self.state[block + "attn.qkv.weight"], qkv), z)
            identity = torch.eye(len(pooled), dtype=self.dtype)
            joint = rollout = identity
            for g, relevance in zip(gradients, relevances):
                joint = ((g * relevance).clamp(min=0).mean(0) + identity) @ joint
                rollout = (relevance.clamp(min=0).mean(0) + identity) @ rollout
            last = relevances[-1].clamp(min=0).mean(0)
            maps = {"logits": logits.detach(), "chefer": joint[0, 1:], "rollout": rollout[0, 1:], "last": last[0, 1:]}
            if pixels:
                maps["full"] = self.pixels(image.to(self.dtype), add(r, tokens, positions, epsilon)[0][1:])
        return maps

    def pixels(self, image, r):
        """The z^B rule of the patch convolution."""
        weight = self.state["patch_embed.proj.weight"]
        parts = [(image[None], weight), (image[None] * 0 - image.min(), weight.clamp(min=0)), (image[None] * 0 - image.max(), weight.clamp(max=0))]
        z = sum(F.conv2d(x, w, stride=self.patch) for x, w in parts) + 1e-9
        s = r.T.reshape(z.shape) / z
        return sum(x * F.conv_transpose2d(s, w, stride=self.patch) for x, w in parts).sum(1)[0]
