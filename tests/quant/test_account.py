"""What stands in quantization.json."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import CorruptObject
from trtbuild.core.records import RequestedLayer
from trtbuild.quant.account import QuantizationAccount, WeightAccount


def account(*precisions):
    layers = tuple(
        RequestedLayer(name=f"n{index}", op="Conv", precision=precision)
        for index, precision in enumerate(precisions)
    )
    return QuantizationAccount(opset=17, layers=layers, tensors=(), weights=())


def test_what_is_asked_for_in_int8_is_counted():
    """Layers in 16 bits are float."""
    assert 2 == account("int8", "fp16", "int8", "fp32", "bf16").asked
    assert 0 == account().asked


def test_an_account_of_another_version_is_none():
    """It says so, instead of leaving out what it does not know."""
    text = account("int8").model_dump_json()[:-1] + ', "newer": 1}'

    with pytest.raises(CorruptObject, match="account was written by another trtbuild"):
        QuantizationAccount.read_json(text.encode(), what="account")


def test_one_scale_for_a_whole_weight_has_no_axis():
    """And is read back so: nothing is not 0."""
    one = WeightAccount(name="w", axis=None, channels=1)

    assert WeightAccount.model_validate_json(one.model_dump_json()).axis is None
