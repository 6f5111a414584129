"""Settings: the user's environment, read once."""

from pathlib import Path

import pytest

from labs.engine.errors import LabError
from labs.engine.settings import DEFAULT_CACHE, Settings, read_settings

VARIABLES = ("F0_WORKSPACE", "F0_CACHE", "F0_NETWORK", "F0_PROVIDER", "F0_BUNDLE", "F0_KEEP_BUILD_CACHE")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_without_variables_the_defaults_hold() -> None:
    assert read_settings() == Settings()
    assert read_settings().cache == DEFAULT_CACHE


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
    assert read_settings() == Settings()


@pytest.mark.parametrize(
    ("name", "field"), [("F0_WORKSPACE", "workspace"), ("F0_CACHE", "cache"), ("F0_BUNDLE", "bundle")]
)
def test_folders_are_absolute(name: str, field: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(name, "seat/1")
    assert getattr(read_settings(), field) == tmp_path / "seat/1"


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("F0_CACHE", "~/f0")
    assert read_settings().cache == tmp_path / "f0"


@pytest.mark.parametrize(("locale", "language"), [("zh_CN.UTF-8", "zh"), ("C.UTF-8", "en"), ("de_DE", "en")])
def test_the_language_is_that_of_the_locale(locale: str, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    assert read_settings().language == language


def test_a_value_that_can_not_be_used_is_an_error_with_the_variables_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("F0_KEEP_BUILD_CACHE", "perhaps")
    with pytest.raises(LabError) as raised:
        read_settings()
    assert (raised.value.code, str(raised.value)[:19]) == ("usage", "F0_KEEP_BUILD_CACHE")


def test_two_settings_of_one_process_can_differ(tmp_path: Path) -> None:
    one, two = Settings(workspace=tmp_path / "1", network="10.1.1.0/24"), Settings(workspace=tmp_path / "2")
    assert (one.workspace, one.network, two.workspace, two.network) == (
        *(tmp_path / "1", "10.1.1.0/24"),
        *(tmp_path / "2", None),
    )
