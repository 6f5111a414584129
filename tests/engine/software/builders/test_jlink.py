"""Java runtimes: cut from the JDK that the hosts' Debian has, without a network."""

from labs.engine.course.edition import JlinkComponent
from labs.engine.software.builders import jlink
from labs.engine.software.builders.job import Job
from labs.engine.software.builders.toolchain import Toolchain
from tests.engine.software.builders.conftest import Docker

JRE = JlinkComponent(kind="jlink", version="21", modules=["java.base", "java.logging"])


def test_a_runtime_has_the_modules_asked_for(job: Job, docker: Docker, toolchain: Toolchain) -> None:
    docker.does("mkdir bin; touch bin/java")
    jlink.build(job, JRE, toolchain)
    assert "--network=none" in docker.told
    assert [word for word in docker.told if word.startswith("jlink --add-modules java.base,java.logging ")]
    assert [file.name for file in (job.part / "bin").iterdir()] == ["java"]
