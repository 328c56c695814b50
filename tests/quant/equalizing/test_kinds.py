from __future__ import annotations

import pytest
from pydantic import ValidationError

from trtbuild.quant.equalizing.kinds import CrossLayer, Smooth


@pytest.mark.parametrize(("kind", "name"), [(CrossLayer, "cross_layer"), (Smooth, "smooth")])
def test_alpha_is_a_share(kind, name):
    """A half unless another is asked for."""
    assert 0.5 == kind(kind=name).alpha
    with pytest.raises(ValidationError):
        kind(kind=name, alpha=1.5)
