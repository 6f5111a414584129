"""The user's language, as the locale says."""

import pytest

from labs.engine.language import language, say


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "zh_TW"}, "zh"),
        ({"LANG": "zh_CN", "LC_ALL": ""}, "zh"),
    ],
)
def test_the_locale_decides(environ: dict[str, str], expected: str) -> None:
    assert language(environ) == expected


def test_the_engine_speaks_both() -> None:
    assert say("blocked", "en", title="Routes") == "First: Routes"
    assert say("blocked", "zh", title="路由") == "请先完成：路由"
