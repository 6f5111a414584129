"""Steps: fenced blocks of a page that name hosts, in their order, as MkDocs shows them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from labs.engine.course.fences import fences
from labs.engine.course.steps import Step, parse_steps
from labs.engine.errors import LabError

HOSTS = ("f0-11", "f0-12", "f0-13", "f0-14", "f0-15")
Parse = Callable[[str], list[Step]]


@pytest.fixture
def parse(tmp_path: Path) -> Parse:
    (tmp_path / "manifests/flannel").mkdir(parents=True)
    (tmp_path / "manifests/flannel/unit.service").write_text("[Service]\nRestart=always\n")

    def run(text: str) -> list[Step]:
        page = tmp_path / "page.md"
        page.write_text(text, encoding="utf-8")
        return parse_steps(page, HOSTS, tmp_path / "manifests")

    return run


def test_a_block_with_hosts_is_a_script_to_run_there(parse: Parse) -> None:
    (step,) = parse('# Page\n\n## Start it\n\n``` bash title="f0-13, f0-14"\nsudo true\n\nsudo false\n```\n')
    assert step == Step(1, "Start it", ("f0-13", "f0-14"), None, "sudo true\n\nsudo false\n", 5)


def test_a_block_with_a_path_is_a_file_to_write(parse: Parse) -> None:
    (step,) = parse('``` ini title="f0-13,f0-14:/etc/flannel/subnet.env"\nA=1\n```\n')
    assert (step.hosts, step.path, step.body) == (("f0-13", "f0-14"), "/etc/flannel/subnet.env", "A=1\n")


@pytest.mark.parametrize(
    "info",
    ["", "bash", 'bash title="on your machine"', 'text title="what you see"', 'yaml title="manifests/a.yaml"'],
)
def test_other_blocks_are_for_reading(parse: Parse, info: str) -> None:
    assert parse(f"``` {info}\nanything\n```\n") == []


@pytest.mark.parametrize(
    "info",
    [
        'bash title="f0-13" hl_lines="1"',
        'bash linenums="1" title="f0-13"',
        "bash title='f0-13'",
        '{ .bash title="f0-13" }',
    ],
)
def test_other_words_in_the_info_do_not_matter(parse: Parse, info: str) -> None:
    assert [step.hosts for step in parse(f"``` {info}\ntrue\n```\n")] == [("f0-13",)]


def test_steps_are_numbered_in_the_order_of_the_page_under_their_headings(parse: Parse) -> None:
    block = '``` bash title="f0-11"\ntrue\n```\n\n'
    steps = parse(f"# A\n\n{block}``` text\nread me\n```\n\n## B\n\n{block}### C\n\n{block}")
    assert [(step.number, step.section) for step in steps] == [(1, "A"), (2, "B"), (3, "C")]


def test_a_block_in_a_list_is_a_step_without_its_indentation(parse: Parse) -> None:
    (step,) = parse('1. First:\n\n    ``` bash title="f0-13"\n    if true; then\n      false\n    fi\n    ```\n')
    assert (step.body, step.line) == ("if true; then\n  false\nfi\n", 3)


def test_a_longer_fence_holds_a_shorter_one(parse: Parse) -> None:
    (step,) = parse('```` bash title="f0-13"\ncat <<E\n```\nE\n````\n')
    assert step.body == "cat <<E\n```\nE\n"


def test_an_included_file_takes_the_place_of_its_line(parse: Parse) -> None:
    (step,) = parse('``` bash title="f0-13"\nsudo tee x <<E\n--8<-- "flannel/unit.service"\nE\n```\n')
    assert step.body == "sudo tee x <<E\n[Service]\nRestart=always\n\nE\n"


def test_an_included_file_keeps_the_indentation_of_its_place(parse: Parse) -> None:
    (step,) = parse('``` ini title="f0-13:/x"\na:\n  --8<-- "flannel/unit.service"\n```\n')
    assert step.body.startswith("a:\n  [Service]\n  Restart=always\n")


def test_lines_of_an_included_file_can_be_chosen(parse: Parse) -> None:
    (step,) = parse('``` ini title="f0-13:/x"\n--8<-- "flannel/unit.service:2:2"\n```\n')
    assert step.body == "Restart=always\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('``` bash title="f0-99"\ntrue\n```\n', "1: unknown host 'f0-99'."),
        ('\n``` bash title="f0-13, f0-99"\ntrue\n```\n', "2: unknown host 'f0-99'."),
        ('``` ini title="f0-99:/etc/x"\ntrue\n```\n', "1: unknown host 'f0-99'."),
        ('``` ini title="f0-13:etc/x"\ntrue\n```\n', "1: 'f0-13:etc/x' needs an absolute path after the colon"),
        ('``` ini title="f0-13:"\ntrue\n```\n', "1: 'f0-13:' needs an absolute path after the colon"),
        (
            '``` text title="f0-13 answers"\ntrue\n```\n',
            "1: the title 'f0-13 answers' starts with a host but is not a list of hosts",
        ),
        ('``` bash title="f0-13"\n```\n', "1: the step is empty"),
        ('``` bash title="f0-13"\n\n  \n```\n', "1: the step is empty"),
        (
            '``` bash title="f0-13"\n--8<-- "flannel/no.yml"\n```\n',
            "1: Snippet at path 'flannel/no.yml' could not be found in manifests/",
        ),
        (
            '``` bash title="f0-13"\n--8<-- "../page.md"\n```\n',
            "1: Snippet at path '../page.md' could not be found in manifests/",
        ),
        (
            '!!! note\n\n    Do it:\n\n    ``` bash title="f0-13"\n    true\n    ```\n',
            "5: a step in indented text is not recognized: start it at the left margin",
        ),
    ],
)
def test_a_mistake_is_reported_with_its_line(parse: Parse, tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LabError) as raised:
        parse(text)
    assert str(raised.value.message).removeprefix(f"{tmp_path / 'page.md'}:").split(" Did you mean")[0] == message


def test_an_unknown_host_suggests_the_nearest(parse: Parse) -> None:
    with pytest.raises(LabError, match=r"unknown host 'f0-133'\. Did you mean 'f0-13'\?"):
        parse('``` bash title="f0-133"\ntrue\n```\n')


def test_all_mistakes_of_a_page_come_at_once(parse: Parse) -> None:
    with pytest.raises(LabError) as raised:
        parse('``` bash title="f0-99"\ntrue\n```\n\n``` bash title="f0-13"\n```\n')
    assert [line.split(".md:")[1][0] for line in str(raised.value.message).splitlines()] == ["1", "5"]


def test_blocks_of_two_pages_are_equal_when_their_words_are(tmp_path: Path) -> None:
    english, chinese = tmp_path / "page.md", tmp_path / "page.zh.md"
    english.write_text('# Start\n\n``` bash title="f0-13"\ntrue\n```\n\n``` text\nread\n```\n')
    chinese.write_text(
        '# 开始\n\n解释。\n\n``` bash title="f0-13"\ntrue\n```\n\n``` text\nread!\n```\n', encoding="utf-8"
    )
    assert fences(english)[0] == fences(chinese)[0]
    assert fences(english)[1] != fences(chinese)[1]
    assert (fences(chinese)[0].title, fences(chinese)[0].line, fences(chinese)[0].section) == ("f0-13", 5, "开始")
