"""Train on digits in photographs: `python -m recipes.models.train_photo_digits --model depthwise`.

To be run in the root of the repository; some minutes on a GPU, hours on two cores. Widths and
epochs were not chosen by looking at the evaluation part; the last weights are taken, not the best.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from calib_data.photo_digits import photo_digits
from recipes.models.depthwise import depthwise
from recipes.models.outlier_vit import outlier_vit

BATCH, SEED, RATE = 256, 0, 3e-3
MODELS: dict[str, Callable[[], nn.Module]] = {"depthwise": depthwise, "outlier_vit": outlier_vit}


def main() -> None:
    """Train the model asked for, write its weights beside this file, and say how good it is."""
    parser = argparse.ArgumentParser(description="Train a model on digits in photographs.")
    parser.add_argument("--model", choices=sorted(MODELS), required=True)
    parser.add_argument("--pictures", type=int, default=65536)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    asked = parser.parse_args()
    model = trained(MODELS[asked.model], asked.pictures, asked.epochs, asked.device)
    path = Path(__file__).with_name(f"{asked.model}.safetensors")
    save_file({name: value.cpu() for name, value in model.state_dict().items()}, path)
    print(f"{path.name}: {path.stat().st_size} bytes")  # noqa: T201 - a script, not the library
    for split in ("calib", "eval"):
        images, labels = tensors(split, 0)
        with torch.inference_mode():
            found = model.cpu()(images.float() / 255).argmax(dim=1)
        print(f"top-1 on {split}: {float((found == labels).double().mean()):.2%}")  # noqa: T201


def trained(make: Callable[[], nn.Module], pictures: int, epochs: int, device: str) -> nn.Module:
    """Return a model in `eval` mode."""
    images, labels = (part.to(device) for part in tensors("train", pictures))
    torch.manual_seed(SEED)
    model = make().to(device).train()
    steps = epochs * math.ceil(pictures / BATCH)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=RATE, total_steps=steps)
    measure = nn.CrossEntropyLoss(label_smoothing=0.1)
    for _ in range(epochs):
        for rows in torch.randperm(pictures).to(device).split(BATCH):
            optimizer.zero_grad()
            light = 0.7 + 0.6 * torch.rand(len(rows), 3, 1, 1, device=device)
            x = (images[rows].float() / 255 * light).clamp(0, 1)
            measure(model(x), labels[rows]).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    return model.eval()


def tensors(split: str, count: int) -> tuple[Tensor, Tensor]:
    """Return pictures, uint8 [count, 3, 32, 32], and labels [count]."""
    samples = list(photo_digits(split, count))
    pictures = torch.stack([torch.from_numpy(sample["input"]) for sample in samples])
    labels = torch.tensor([sample["label"] for sample in samples])
    return pictures.permute(0, 3, 1, 2).contiguous(), labels


if __name__ == "__main__":
    main()
