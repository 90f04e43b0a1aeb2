"""The one normalisation."""

import numpy as np
import pytest

from mmdemo.core.vectors import normalize


def test_one_normalisation_and_it_refuses_a_zero_row():
    np.testing.assert_allclose(np.linalg.norm(normalize([[3.0, 4.0], [1.0, 0.0]]), axis=1), 1)
    with pytest.raises(ValueError, match="row 1 of 2 is zero"):
        normalize([[1.0, 0.0], [0.0, 0.0]])
