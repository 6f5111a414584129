"""A Java runtime, cut from the JDK that Debian has for the hosts."""

from labs.engine.course.edition import JlinkComponent
from labs.engine.software.builders.job import Job, Registry
from labs.engine.software.builders.toolchain import Toolchain

_NOTHING = Registry("", r"(?!)", "")
_SCRIPT = """\
jlink --add-modules {modules} --output /tmp/runtime \
    --strip-java-debug-attributes --no-header-files --no-man-pages --compress=zip-6
cp -r /tmp/runtime/. /out/
"""


def build(job: Job, component: JlinkComponent, toolchain: Toolchain) -> None:
    """Make a Java runtime with the wanted modules."""
    toolchain.run(job, _SCRIPT.format(modules=",".join(component.modules)), _NOTHING, {})
