"""The calls that the monitor of the Dubbo lab counts."""

import pytest

from checks.dubbo.demo import growth


@pytest.mark.parametrize(
    ("counts", "grew"),
    [
        ([100, 105], True),
        ([100, 100], False),
        ([0, 0], False),
        ([100, 20, 20], False),
        ([100, 20, 25], True),
        ([100, 105, 20, 25], True),
    ],
    ids=["more", "the same", "none", "pods replaced", "pods replaced, then more", "more, pods replaced, then more"],
)
def test_calls_are_counted_also_while_a_rollout_replaces_pods(counts: list[float], grew: bool) -> None:
    assert growth([{"consumer": count} for count in counts])["consumer"].grew is grew
