"""A Java runtime, made from the JDK in the hosts' Debian."""

from labs.engine.course.edition import JlinkComponent
from labs.engine.software.builders.job import Job
from labs.engine.software.builders.toolchain import Toolchain

_SCRIPT = """\
jlink --add-modules {modules} --output /tmp/runtime \
    --strip-java-debug-attributes --no-header-files --no-man-pages --compress=zip-6
cp -r /tmp/runtime/. /out/
"""


def build(job: Job, component: JlinkComponent, toolchain: Toolchain) -> None:
    """Make a Java runtime with the component's modules."""
    toolchain.run(job, _SCRIPT.format(modules=",".join(component.modules)), {})
