"""Fits y = 2 x + 1 by gradient descent; with torch on the accelerator that it was given, else without."""

import json
import os

STEPS = 200


def with_torch():
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(int(os.environ["ASSAY_SEED"]))
    x = torch.randn(1 << 20, 1, device=device)
    model = torch.nn.Linear(1, 1).to(device)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.2)
    for _ in range(STEPS):
        loss = ((model(x) - 2 * x - 1) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return {"w": model.weight.item(), "b": model.bias.item(), "on": device, "torch": torch.__version__}


def plain():
    w = b = 0.0
    for _ in range(STEPS):
        points = [(x / 8, 2 * x / 8 + 1) for x in range(-16, 17)]
        errors = [(w * x + b - y, x) for x, y in points]
        w -= 0.1 * sum(2 * e * x for e, x in errors) / len(points)
        b -= 0.1 * sum(2 * e for e, _ in errors) / len(points)
    return {"w": w, "b": b, "on": "cpu", "torch": None}


try:
    fitted = with_torch()
except ImportError:
    fitted = plain()
print(json.dumps(fitted))
with open(os.path.join(os.environ["ASSAY_OUTPUT"], "model.json"), "w") as file:
    json.dump(fitted, file)
