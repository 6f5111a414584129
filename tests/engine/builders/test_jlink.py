"""Java runtimes: cut from the JDK that the hosts' Debian has, without a network."""

from labs.engine.builders import jlink
from labs.engine.builders.job import Job
from labs.engine.builders.toolchain import Toolchain
from labs.engine.edition import JlinkComponent
from tests.engine.builders.conftest import Docker

JRE = JlinkComponent(kind="jlink", version="21", modules=["java.base", "java.logging"])


def test_a_runtime_has_the_modules_asked_for(job: Job, docker: Docker, toolchain: Toolchain) -> None:
    docker.does("mkdir bin; touch bin/java")
    jlink.build(job, JRE, toolchain)
    assert "--network=none" in docker.told
    assert [word for word in docker.told if word.startswith("jlink --add-modules java.base,java.logging ")]
    assert [file.name for file in (job.part / "bin").iterdir()] == ["java"]
