"""Train the detector of shapes and write its weights: `python -m recipes.models.train_shapes`.

To be run in the root of the repository; some minutes on a GPU, hours on two cores. The last weights
are taken, not the best, and the evaluation part is not read. The shipped weights are the ones that
count: another machine's differ in their last bits, and with them in a box or two.

The loss is that of YOLOv8 as its authors publish it: boxes by complete IoU (arXiv:1911.08287) and
by the distribution of each side (arXiv:2006.04388), classes by cross entropy, cells chosen by how
well score and box agree with the label (task-aligned assignment, arXiv:2108.07755). `--sgd` takes
their optimizer too, and writes `shapes_yolo_sgd`: 17 epochs of SGD with momentum, the loss times
the 64 samples that their rates are for, and decay for the weights alone. Its activations spread
more, and INT8 costs it more.
"""

from __future__ import annotations

import argparse
import itertools
import math
from multiprocessing import Pool
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from calib_data.photos import photos
from calib_data.shapes import CLASSES, compose
from recipes.models.shapes_yolo import BINS, ShapesYolo, list_cells, shapes_yolo, sides

BATCH, SEED, SIZE, MOST = 256, 0, 128, 8
BOX, CLASS, SIDE = 7.5, 0.5, 1.5  # weights of the parts of the loss
NOMINAL = 64  # the samples of a batch that `--sgd`'s rates are for
CELLS, ALPHA, BETA = 10, 0.5, 6.0  # of the assignment: cells a label, powers of score and of IoU


def main() -> None:
    """Train, write the weights beside this file, and say how the loss went."""
    parser = argparse.ArgumentParser(description="Train the detector of shapes.")
    parser.add_argument("--scenes", type=int, default=24576)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--sgd", action="store_true")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    asked = parser.parse_args()
    model = trained(asked.scenes, asked.epochs, asked.device, sgd=asked.sgd)
    path = Path(__file__).with_name(f"shapes_yolo{'_sgd' if asked.sgd else ''}.safetensors")
    save_file({name: value.cpu() for name, value in model.state_dict().items()}, path)
    print(f"{path.name}: {path.stat().st_size} bytes")  # noqa: T201 - a script, not the library


def trained(scenes: int, epochs: int, device: str, *, sgd: bool = False) -> nn.Module:
    """Return the model in `eval` mode."""
    pictures, labels = (part.to(device) for part in drawn(scenes))
    torch.manual_seed(SEED)
    model = shapes_yolo().to(device).train()
    steps = epochs * math.ceil(scenes / BATCH)
    optimizer, rate = (_sgd if sgd else _adamw)(model)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=rate, total_steps=steps, cycle_momentum=not sgd
    )
    for epoch in range(epochs):
        total = 0.0
        for rows in torch.randperm(scenes).to(device).split(BATCH):
            optimizer.zero_grad()
            x, y = mirrored(pictures[rows].float() / 255, labels[rows])
            loss = measure_loss(model, x, y)
            (loss * NOMINAL if sgd else loss).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 10.0)
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
        print(f"epoch {epoch + 1}: loss {total / steps * epochs:.3f}", flush=True)  # noqa: T201
    return model.eval()


def _adamw(model: nn.Module) -> tuple[torch.optim.Optimizer, float]:
    return torch.optim.AdamW(model.parameters(), weight_decay=0.01), 4e-3


def _sgd(model: nn.Module) -> tuple[torch.optim.Optimizer, float]:
    """Return an optimizer and its highest rate, as Ultralytics' defaults have them."""
    weights = [each for each in model.parameters() if each.ndim > 1]
    others = [each for each in model.parameters() if each.ndim <= 1]
    groups = [{"params": weights, "weight_decay": 5e-4}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.SGD(groups, lr=0.01, momentum=0.937, nesterov=True), 0.02


def drawn(scenes: int) -> tuple[Tensor, Tensor]:
    """Return pictures, uint8 [scenes, 3, size, size], and labels [scenes, MOST, 5]; -1: none."""
    crops = [each["input"] for each in photos("calib", min(scenes, 4096), SIZE)]
    seeds = [(1, index) for index in range(scenes)]
    with Pool() as pool:
        made = pool.starmap(compose, zip(itertools.cycle(crops), seeds, strict=False), chunksize=64)
    pictures = torch.stack([torch.from_numpy(picture) for picture, _ in made])
    labels = torch.full((scenes, MOST, 5), -1.0)
    for row, (_, boxes) in enumerate(made):
        labels[row, : len(boxes)] = torch.from_numpy(boxes)
    return pictures.permute(0, 3, 1, 2).contiguous(), labels


def mirrored(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return a batch with pictures and boxes mirrored by lot, and brightness changed."""
    flip = torch.rand(len(x), device=x.device) < 0.5  # noqa: PLR2004 - every second one
    x = torch.where(flip.view(-1, 1, 1, 1), x.flip(3), x)
    turned = torch.stack([y[..., 0], SIZE - y[..., 3], y[..., 2], SIZE - y[..., 1], y[..., 4]], -1)
    y = torch.where(flip.view(-1, 1, 1) & (y[..., :1] >= 0), turned, y)
    light = 0.7 + 0.6 * torch.rand(len(x), 1, 1, 1, device=x.device)
    return (x * light).clamp(0, 1), y


def measure_loss(model: ShapesYolo, x: Tensor, y: Tensor) -> Tensor:
    """Return the loss of a batch; a label is a class and corners, [batch, MOST, 5]; -1: none."""
    scales = model.raw(x)
    cells, strides = list_cells(scales)
    flat = torch.cat([scale.flatten(2) for scale in scales], dim=2)
    spread, logits = flat.split((4 * BINS, len(CLASSES)), dim=1)
    distance = sides(spread)
    boxes = torch.cat([cells - distance[:, :2], cells + distance[:, 2:]], dim=1).transpose(1, 2)
    centres, stride = (cells * strides)[0].T, strides[0, 0]
    corners = boxes * stride.view(1, -1, 1)
    with torch.no_grad():
        target, which, weight = assign(logits.sigmoid().transpose(1, 2), corners, y, centres)
    normal = weight.sum().clamp(min=1)
    classes = nn.functional.binary_cross_entropy_with_logits(
        logits.transpose(1, 2), target, reduction="sum"
    )
    wanted = y[..., 1:].gather(1, which.unsqueeze(-1).expand(-1, -1, 4))
    chosen = weight > 0
    box = (1 - complete_iou(corners[chosen], wanted[chosen])) * weight[chosen]
    side = measure_sides(spread, wanted, cells, stride, chosen) * weight[chosen]
    return (CLASS * classes + BOX * box.sum() + SIDE * side.sum()) / normal


def measure_sides(
    spread: Tensor, wanted: Tensor, cells: Tensor, stride: Tensor, chosen: Tensor
) -> Tensor:
    """Return each chosen cell's cross entropy against the two bins that each side lies between."""
    units, middle = wanted / stride.view(1, -1, 1), cells.transpose(1, 2)
    target = torch.cat([middle - units[..., :2], units[..., 2:] - middle], dim=2)
    target = target[chosen].clamp(0, BINS - 1.01)
    below = target.floor().long()
    share = target - below
    logs = spread.view(len(spread), 4, BINS, -1).permute(0, 3, 1, 2)[chosen].log_softmax(dim=2)
    near = logs.gather(2, below.unsqueeze(2)).squeeze(2)
    far = logs.gather(2, below.unsqueeze(2) + 1).squeeze(2)
    return -(near * (1 - share) + far * share).mean(dim=1)


def assign(
    scores: Tensor, boxes: Tensor, y: Tensor, centres: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return each cell's target scores, the label it is for, and its weight (0: background)."""
    real = y[..., 0] >= 0
    kinds, corners = y[..., 0].clamp(min=0).long(), y[..., 1:]
    inside = (
        torch.cat([centres - corners[:, :, None, :2], corners[:, :, None, 2:] - centres], dim=3)
        .amin(dim=3)
        .gt(0)
    )
    overlap = plain_iou(corners[:, :, None], boxes[:, None]).clamp(min=0)
    score = scores.transpose(1, 2).gather(1, kinds[:, :, None].expand(-1, -1, scores.shape[1]))
    fit = score**ALPHA * overlap**BETA * inside * real[:, :, None]
    best = fit.topk(CELLS, dim=2)
    kept = torch.zeros_like(fit).scatter(2, best.indices, (best.values > 0).to(fit.dtype)) > 0
    rival = torch.where(kept, overlap, -1.0)
    which = rival.argmax(dim=1)
    mine = kept & (torch.arange(y.shape[1], device=y.device).view(1, -1, 1) == which[:, None])
    fit = fit * mine
    highest = fit.amax(dim=2, keepdim=True).clamp(min=1e-9)
    reach = (overlap * mine).amax(dim=2, keepdim=True)
    weight = (fit / highest * reach).amax(dim=1)
    hot = nn.functional.one_hot(kinds.gather(1, which), len(CLASSES)).to(scores.dtype)
    return hot * weight[..., None], which, weight


def plain_iou(one: Tensor, other: Tensor) -> Tensor:
    """Return the intersection over the union of boxes [..., 4] given by corners."""
    low, high = (
        torch.maximum(one[..., :2], other[..., :2]),
        torch.minimum(one[..., 2:], other[..., 2:]),
    )
    both = (high - low).clamp(min=0).prod(dim=-1)
    areas = [(box[..., 2:] - box[..., :2]).clamp(min=0).prod(dim=-1) for box in (one, other)]
    return both / (areas[0] + areas[1] - both + 1e-7)


def complete_iou(one: Tensor, other: Tensor) -> Tensor:
    """Return the complete IoU of boxes [n, 4]: less for distance of centres and unlike shape."""
    iou = plain_iou(one, other)
    hull = torch.maximum(one[:, 2:], other[:, 2:]) - torch.minimum(one[:, :2], other[:, :2])
    middle = ((one[:, :2] + one[:, 2:]) - (other[:, :2] + other[:, 2:])) / 2
    apart = middle.pow(2).sum(dim=1) / (hull.pow(2).sum(dim=1) + 1e-7)
    angles = [
        torch.atan((box[:, 2] - box[:, 0]) / (box[:, 3] - box[:, 1] + 1e-7)) for box in (one, other)
    ]
    shape = 4 / math.pi**2 * (angles[0] - angles[1]).pow(2)
    with torch.no_grad():
        share = shape / (1 - iou + shape + 1e-7)
    return iou - apart - share * shape


if __name__ == "__main__":
    main()
