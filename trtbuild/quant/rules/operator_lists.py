"""Which operators a TensorRT lacks: lists as they were published or measured, read where needed.

Sources, by flavour:

- TensorRT 10, published: `docs/operators.md` of github.com/onnx/onnx-tensorrt in its state for
  TensorRT 10.15 (opsets 9 to 24; the file bears no date, read 2026-11-28). Plugins: the table in
  `plugin/README.md` of github.com/NVIDIA/TensorRT, a state from before 10.12 (read 2026-11-28).
- TensorRT-RTX, measured: version 1.7.1.116 (2026-11-28) was asked `supports_operator` for every
  operator of ONNX 1.23.2, and built the one-node models of ONNX's own tests for compute capability
  8.9. No list of NVIDIA's was found.
- TensorRT 11, neither: no list was found, and the library could not be had. What both of the others
  lack is taken for lacking. The plugins that its release notes call removed are left out.

A rule of the list for 10.15 that 1.7.1.116 does not hold to (of one stock, and the later one) is in
no list here: pooling over one axis, `cubic` in Resize, GridSample in 3D, `layout` 1 of LSTM,
`sorted` 0 of TopK all build.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BY_KIND", "KNOWN_BESIDES", "NO_KERNEL", "NO_PLUGIN", "OperatorList"]


@dataclass(frozen=True)
class OperatorList:
    """What one flavour of TensorRT lacks."""

    name: str
    """The flavour, in words."""
    source: str
    """Where the list is from, in words for a reader of a finding."""
    lacking: frozenset[str]
    """Operators of ONNX that its parser does not know."""
    plugins: frozenset[str] = frozenset()
    """The plugins that it brings."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LACKING = _words(
    """
    AffineGrid Bernoulli BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor CenterCropPad Col2Im
    Compress ConcatFromSequence ConvInteger DFT Det DynamicQuantizeLinear ImageDecoder MatMulInteger
    MaxRoiPool MaxUnpool MelWeightMatrix Multinomial NegativeLogLikelihoodLoss Optional
    OptionalGetElement OptionalHasElement QLinearConv QLinearMatMul RegexFullMatch SequenceAt
    SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength SequenceMap
    SoftmaxCrossEntropyLoss SplitToSequence StringConcat StringNormalizer StringSplit
    TfIdfVectorizer Unique
    """
)
"""Said to be lacking by the list for 10.15, and found to be by asking 1.7.1.116."""

LATER = frozenset({"BitCast", "CumProd", "SwiGLU"})
"""Lacking in 1.7.1.116, and not in the list for 10.15, which may not speak of them yet."""

GONE_IN_11 = _words(
    """
    BatchTilePlugin_TRT Clip_TRT NMSDynamic_TRT NMS_TRT Normalize_TRT Proposal Split
    """
)

PLUGINS = _words(
    """
    BatchTilePlugin_TRT BatchedNMSDynamic_TRT BatchedNMS_TRT Clip_TRT CoordConvAC CropAndResize
    CropAndResizeDynamic CustomEmbLayerNormPluginDynamic CustomFCPluginDynamic
    CustomGeluPluginDynamic CustomQKVToContextPluginDynamic CustomSkipLayerNormPluginDynamic
    DecodeBbox3DPlugin DetectionLayer_TRT DisentangledAttention_TRT EfficientNMS_ONNX_TRT
    EfficientNMS_TRT FlattenConcat_TRT GenerateDetection_TRT GridAnchorRect_TRT GridAnchor_TRT
    GroupNormalizationPlugin InstanceNormalization_TRT LReLU_TRT ModulatedDeformConv2d
    MultilevelCropAndResize_TRT MultilevelProposeROI_TRT MultiscaleDeformableAttnPlugin_TRT
    NMSDynamic_TRT NMS_TRT Normalize_TRT PillarScatterPlugin PriorBox_TRT Proposal ProposalDynamic
    ProposalLayer_TRT PyramidROIAlign_TRT ROIAlign_TRT RPROI_TRT Region_TRT Reorg_TRT
    ResizeNearest_TRT ScatterElements ScatterND SpecialSlice_TRT Split VoxelGeneratorPlugin
    """
)

BY_KIND = {
    "tensorrt10": OperatorList(
        "TensorRT 10", "the parser's list for 10.15", LACKING, plugins=PLUGINS
    ),
    "tensorrt11": OperatorList(
        "TensorRT 11",
        "no list of 11 was found; neither 10.15 nor TensorRT-RTX 1.7.1 has it",
        LACKING,
        plugins=PLUGINS - GONE_IN_11,
    ),
    "tensorrt_rtx": OperatorList(
        "TensorRT-RTX", "measured with 1.7.1", LACKING | LATER | {"DeformConv"}
    ),
}

KNOWN_BESIDES = _words(
    """
    DistCollective GroupQueryAttention ImageScaler MatMulNBits MultiHeadAttention ParametricSoftplus
    QMoE ScaledTanh SimplifiedLayerNormalization SkipSimplifiedLayerNormalization TRT_Attention
    TRT_AveragePool TRT_BlockDequantize TRT_BlockQuantize TRT_Conv TRT_Deconv TRT_DynamicQuantize
    TRT_FP4DynamicQuantize TRT_FP8DequantizeLinear TRT_FP8QuantizeLinear TRT_FloorDiv TRT_Gather
    TRT_INT4DequantizeLinear TRT_INT4QuantizeLinear TRT_KVCacheUpdate TRT_MXFP8DequantizeLinear
    TRT_MXFP8DynamicQuantize TRT_MXFP8QuantizeLinear TRT_MatMul TRT_MaxAverageBlendPool TRT_MaxPool
    TRT_MoE TRT_QuantizedAttention TRT_RaggedSoftmax TRT_Resize TRT_Scale TRT_Shuffle TRT_Slice
    TRT_TopK_Min
    """
)
"""What the parser knows that is no operator of ONNX: asked of 1.7.1.116, and believed of others."""

NO_KERNEL = frozenset({"NonMaxSuppression"})
"""Operators that TensorRT-RTX parses and cannot build, in any type."""

NO_PLUGIN = frozenset({"CausalConvWithState", "LinearAttention", "NonZero", "RoiAlign"})
"""Operators that the parser has a plugin for make, which TensorRT-RTX does not bring."""
