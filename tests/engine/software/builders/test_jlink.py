"""Java runtimes: made from the JDK in the hosts' Debian, without a network."""

from labs.engine.course.edition import JlinkComponent
from labs.engine.software.builders import jlink
from labs.engine.software.builders.job import Job
from tests.engine.software.builders.conftest import MakeToolchain, files

JRE = JlinkComponent(kind="jlink", version="21", modules=["java.base", "java.logging"])
JLINK = """\
echo "told $*"
mkdir -p /tmp/runtime/bin
touch /tmp/runtime/bin/java
"""


def test_a_runtime_has_the_components_modules(job: Job, toolchain_with: MakeToolchain) -> None:
    jlink.build(job, JRE, toolchain_with({"jlink": JLINK}))
    assert "\ntold --add-modules java.base,java.logging --output /tmp/runtime " in job.log.read_text()
    assert files(job.part) == ["bin/java"]
