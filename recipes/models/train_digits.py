"""Train a digits model and write its weights: `python -m recipes.models.train_digits --model cnn`.

To be run in the root of the repository; no model takes more than two minutes on one core.

Nothing was chosen by looking at the evaluation part: widths, epochs and learning rates come from
cross-validation inside the training part, the last weights are taken (not the best), and the
evaluation part is read once, at the end. The calibration part is held out as well.

The same versions on the same kind of processor give the same bytes. Another processor may differ in
the last bits, and with them in an image or two: the shipped weights are the ones that count.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from calib_data.digits import load
from recipes.models.digits import digits_cnn
from recipes.models.digits_mlp import digits_mlp
from recipes.models.digits_vit import digits_vit

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH = 64
SEED = 0


@dataclass(frozen=True)
class Course:
    """How a model is trained, and where its weights go."""

    model: Callable[[], nn.Module]
    weights: str
    epochs: int
    learning_rate: float


COURSES = {
    "cnn": Course(digits_cnn, "digits.safetensors", epochs=40, learning_rate=4e-3),
    "mlp": Course(digits_mlp, "digits_mlp.safetensors", epochs=200, learning_rate=4e-3),
    "vit": Course(digits_vit, "digits_vit.safetensors", epochs=250, learning_rate=4e-3),
}


def main() -> None:
    """Train the model asked for, write its weights beside this file, and say how good it is."""
    parser = argparse.ArgumentParser(description="Train a digits model and write its weights.")
    parser.add_argument("--model", choices=sorted(COURSES), default="cnn")
    course = COURSES[parser.parse_args().model]
    model = trained(course, *tensors("train"))
    path = Path(__file__).with_name(course.weights)
    save_file(model.state_dict(), path)
    print(f"{path.name}: {path.stat().st_size} bytes")  # noqa: T201 - a script, not the library
    for split in ("train", "calib", "eval"):
        print(f"top-1 on {split}: {top1(model, *tensors(split)):.2%}")  # noqa: T201 - as above


def trained(course: Course, images: Tensor, labels: Tensor) -> nn.Module:
    """Return a model in `eval` mode, trained on randomly moved copies of the images."""
    # One thread: the order of a sum, and so its last bits, must not depend on the machine's cores.
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True)
    torch.manual_seed(SEED)
    model = course.model().train()
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.05)
    steps = course.epochs * math.ceil(len(images) / BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=course.learning_rate, total_steps=steps
    )
    loss = nn.CrossEntropyLoss(label_smoothing=0.1)
    for _ in range(course.epochs):
        for rows in torch.randperm(len(images)).split(BATCH):
            optimizer.zero_grad()
            loss(model(moved(images[rows])), labels[rows]).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    return model.eval()


def moved(images: Tensor) -> Tensor:
    """Return each image turned by up to 10 degrees, scaled by up to 10 %, shifted up to a pixel."""
    count = len(images)
    angle, size, right, down = (2 * torch.rand(4, count) - 1) * torch.tensor(
        [[math.radians(10)], [0.1], [0.25], [0.25]]  # the width of 8 pixels is 2
    )
    cos, sin = (1 + size) * torch.cos(angle), (1 + size) * torch.sin(angle)
    turn = torch.stack([cos, -sin, right, sin, cos, down], dim=1).reshape(count, 2, 3)
    grid = nn.functional.affine_grid(turn, list(images.shape), align_corners=False)
    return nn.functional.grid_sample(images, grid, align_corners=False)


def top1(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return the share of images whose largest logit is the label's."""
    with torch.inference_mode():
        return float((model(images).argmax(dim=1) == labels).double().mean())


def tensors(split: str) -> tuple[Tensor, Tensor]:
    """Return the images and labels of a part of the digits."""
    images, labels = load(split)
    return torch.from_numpy(images), torch.from_numpy(labels)


if __name__ == "__main__":
    main()
