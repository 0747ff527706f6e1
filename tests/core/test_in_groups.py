"""Are files put into groups that keep their order and their bounds?"""

from __future__ import annotations

from itertools import chain, pairwise

from hypothesis import given
from hypothesis import strategies as st

from landbridge.steps.at_once import in_groups


@given(st.lists(st.integers(0, 20)), st.integers(1, 5), st.integers(1, 30))
def test_groups_keep_order_and_bounds_and_are_as_few_as_in_order_they_can_be(
    sizes: list[int], most: int, most_size: int
) -> None:
    groups = in_groups(sizes, most, lambda size: size, most_size)
    assert list(chain.from_iterable(groups)) == sizes
    for group in groups:
        assert 1 <= len(group) <= most
        assert len(group) == 1 or sum(group) <= most_size
    for group, after in pairwise(groups):
        assert len(group) == most or sum(group) + after[0] > most_size
