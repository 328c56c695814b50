"""Reading a plan's bytes; the real ones are read in test_tensorrt_rtx.py."""

from __future__ import annotations

import pytest

from trtbuild.backends.tensorrt.rtx_plan import Kernel, find_precision, read_kernels

PROGRAM = """header {
  version = 5
}
descriptors {
  tensor={ alignment=32 dims={ 1 3 } name="x.1" offset=0 region="" type=float }
  tensor={ alignment=32 dims={ 8 } name="w" offset=0 region="" type=int8 }
  sub_tensor={ base="b" dims={ "n" 3 } name="x^deref" offset=0 strides={ 1 } type=int8 }
}
main {
 label bb1:
  function={ name=__myl_Pad fqn=__myl_Pad_0x1 args={ "x.1" "x^deref" } input_args={ "x.1" } \
layers="[ONNX Layer: conv]" swap_ab=false }
  corrltn={ name="conv" output={"y" } input={"x^deref" "w" "x.1" } stream=0 \
layers="[ONNX Layer: conv]\x1f[ONNX Layer: a \\"b\\"]" }
  signal={ stream=0 }
}
"""


def plan(program=PROGRAM, version=(1, 7, 1, 116), *, extra=0):
    body = b"\0junk\0" + program.encode() + b"\0" + b"\xff" * 9
    size = 64 + len(body) + extra
    head = b"vtrt" + bytes(4) + (2).to_bytes(8, "little") + size.to_bytes(8, "little")
    return (head + bytes(version) + b"vtrt" + (0x1D).to_bytes(8, "little")).ljust(64, b"\0") + body


@pytest.fixture
def kernels(tmp_path):
    def read(data):
        (tmp_path / "e").write_bytes(data)
        return read_kernels(tmp_path / "e")

    return read


def test_operations_are_joined_to_their_operands_types(kernels):
    """Each operation with its ONNX nodes and the precision of what it reads."""
    expected = (
        Kernel("function", "__myl_Pad", ("fp32",), ("conv",)),
        Kernel("corrltn", "conv", ("int8", "int8", "fp32"), ("conv", 'a "b"')),
    )

    assert expected == kernels(plan())


@pytest.mark.parametrize(
    "data",
    [
        plan(version=(1, 8, 0, 1)),
        plan(PROGRAM.replace("version = 5", "version = 6")),
        plan(extra=1),
        plan()[:-1],
        plan("nothing here"),
        b"ptrt" + plan()[4:],
        b"x",
    ],
    ids=[
        "next release",
        "program format",
        "too short",
        "torn",
        "no program",
        "TensorRT",
        "garbage",
    ],
)
def test_of_an_unknown_plan_nothing_is_claimed(kernels, data):
    """Another version, a torn file or another flavour: None, never a guess."""
    assert kernels(data) is None


def kernel(op, *operands, name="k"):
    return Kernel(op, name, operands, ("n",))


PADDING = kernel("function", "fp32", "int8", name="__myl_MulCastConc")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([kernel("corrltn", "int8", "int8", "fp32")], "int8"),
        ([PADDING, kernel("corrltn", "int8", "int8")], "int8"),
        ([kernel("fully_connected", "fp32", "fp32")], "fp32"),
        ([kernel("fully_connected", "fp16", "int8")], "fp16"),
        ([kernel("deconvolution", "bf16", "bf16")], "bf16"),
        ([kernel("corrltn", "int8", "int8"), kernel("corrltn", "fp32", "fp32")], "fp32"),
        ([kernel("function", "int8", "int8", "int8", name="_gemm_mha_v2")], "int8"),
        ([kernel("function", "int8", "int8", "fp32", "int8", name="_gemm_mha_v2")], "int8"),
        ([kernel("function", "fp16", "fp16", "fp16", "fp16", name="_gemm_mha_v2")], "fp16"),
        ([kernel("function", "int8", "int8", "int8", "fp16", name="_gemm_mha_v2")], "fp16"),
        ([kernel("function", "fp32", "fp32", name="__myl_ReshMulSum")], "fp32"),
        ([kernel("function", "int8", "fp32", name="__myl_CastMulReshMulSum")], "fp32"),
        ([kernel("corrltn", "unknown", "int8")], "unknown"),
        ([PADDING], "unknown"),
        ([kernel("new_convolution", "int8", "int8")], "unknown"),
        ([kernel("function", "fp32", name="new_kernel")], "unknown"),
        ([], "unknown"),
    ],
)
def test_a_node_is_as_precise_as_its_multiplication(found, expected):
    """Of several multiplications the least counts, but no mask; what is strange is unknown."""
    precision, why = find_precision(found)

    assert expected == precision
    assert bool(why) == (precision == "unknown")


def test_a_program_says_which_gpus_it_is_for(kernels):
    """`sm86` is 8.6, `sm120` is 12.0: one program for all that it lists."""
    found = kernels(plan(PROGRAM.replace("header {\n  version = 5\n", HEADED)))

    assert {("8.6", "12.0")} == {kernel.accelerators for kernel in found}


HEADED = "header {\n  version = 5\n  accelerators={sm86 sm120 }\n"
