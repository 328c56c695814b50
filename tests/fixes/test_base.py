"""What all kinds of fixes have in common."""

from __future__ import annotations

from trtbuild.core.values import TensorSpec
from trtbuild.fixes.drop_identity import DropIdentity
from trtbuild.fixes.fold_constants import FoldConstants
from trtbuild.fixes.split_shared_weights import SplitSharedWeights

DROP = DropIdentity(kind="drop_identity")


def test_onnxruntime_counts_where_it_computes():
    """For constants, or to hold results against each other."""
    kinds = [DROP, FoldConstants(kind="fold_constants")]
    kinds.append(SplitSharedWeights(kind="split_shared_weights"))

    assert [(), ("onnxruntime",), ("onnxruntime",)] == [each.fact_names() for each in kinds]


def test_most_fixes_leave_the_inputs_as_they_are():
    """Those that do not say what becomes of them."""
    inputs = (TensorSpec(name="x", dtype="float32", shape=(1,)),)

    assert inputs == DROP.foresee(inputs)
