"""The pipeline for Jenkins, which no test runs: that it is Groovy, and has what the CI server's own job has."""

import re

import pytest
from groovy_parser.parser import parse_groovy_content
from lark.exceptions import UnexpectedInput

from tests.docs.pages import REPO

JENKINSFILE = (REPO / "manifests/dubbo/Jenkinsfile").read_text()
JOB = (REPO / "vagrant/roles/delivery/etc/buildbot/master.cfg").read_text()


def test_it_is_groovy() -> None:
    parse_groovy_content(JENKINSFILE)


def test_what_is_no_groovy_would_be_found() -> None:
    with pytest.raises(UnexpectedInput):
        parse_groovy_content(JENKINSFILE.replace("stages {", "stages ["))


def test_it_has_the_ten_parameters_of_the_form() -> None:
    parameters = re.findall(r"(?:string|choice)\(name: '(\w+)'", JENKINSFILE)
    assert len(parameters) == 10
    assert parameters == re.findall(r'StringParameter\(\s*name="(\w+)", label="\1', JOB)


def test_it_has_the_stages_of_the_job() -> None:
    stages = re.findall(r"stage\('(\w+)'\)", JENKINSFILE)
    assert stages == ["pull", "build", "package", "image", "deploy"]
    assert stages == [one for one in re.findall(r'(?:stage\(|name=)"(\w+)"', JOB) if one in stages]
