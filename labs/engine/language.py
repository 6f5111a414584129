"""The user's language, and what the engine itself says in it."""

from collections.abc import Mapping
from types import MappingProxyType

_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "points": (
            "{points} of {max_points} points, {seconds:.1f} s",
            "{points} / {max_points} 分，用时 {seconds:.1f} 秒",
        ),
        "all passed": ("All objectives are reached.", "全部目标均已达成。"),
        "look next": ("What to look at next", "接下来看这里"),
        "more hints": ("One step further: invoke lab.hint {lab}", "更多提示：invoke lab.hint {lab}"),
        "could not tell": (
            "The grader could not tell; nothing is held against you. invoke lab.status shows the state of the hosts.",
            "未能评判，不计入失分。用 invoke lab.status 查看主机状态。",
        ),
        "summary": (
            "Hosts: {hosts}\n"
            "Read: {page} (invoke docs.serve shows it in the browser), about {minutes} minutes.\n"
            "Work on the hosts: invoke host.ssh f0-13, or ssh -F {root}/ssh_config f0-13\n"
            "See how far you are: invoke lab.check {id}",
            "主机：{hosts}\n"
            "阅读：{page}（invoke docs.serve 可在浏览器中打开），约 {minutes} 分钟。\n"
            "登录主机：invoke host.ssh f0-13，或 ssh -F {root}/ssh_config f0-13\n"
            "查看进度：invoke lab.check {id}",
        ),
        "pages": (
            "In your browser, when the lab is solved: {pages}",
            "实验完成后，在浏览器中打开：{pages}",
        ),
        "blocked": ("First: {title}", "请先完成：{title}"),
    }
)


def language(environ: Mapping[str, str]) -> str:
    """ "zh" where the locale is Chinese, else "en"."""
    locale = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return "zh" if locale.startswith("zh") else "en"


def say(key: str, lang: str, **values: object) -> str:
    """One of the engine's own sentences."""
    english, chinese = _WORDS[key]
    return (chinese if lang == "zh" else english).format(**values)
