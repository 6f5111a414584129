"""The grade record of a workspace: what was graded, and what happened in between. It outlives the hosts."""

import contextlib
import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from labs.engine.course.course import Course
from labs.engine.grading.report import Report, both

VERSION = 1  # of the tables, in SQLite's user_version
_TABLES = """\
create table grading (
    id integer primary key, time text not null, lab text not null, generation text not null, edition text not null,
    checks text not null, seconds real not null
);
create table result (
    grading integer not null references grading (id), objective text not null, result text not null,
    points integer not null, max_points integer not null, evidence text not null
);
create table event (time text not null, lab text not null, kind text not null, detail text not null);
create index result_by_objective on result (objective, result);
"""


@dataclass
class LabRecord:
    """What the record has of a lab.

    Attributes:
        passed: when each objective passed for the first time (UTC, ISO 8601)
        points: of all objectives that ever passed
        hints: how many hints were shown
        faults: how many faults were planted
        resets: how often the hosts were reset
    """

    passed: dict[str, str] = field(default_factory=dict)
    points: int = 0
    hints: int = 0
    faults: int = 0
    resets: int = 0


@dataclass(frozen=True)
class Record:
    """The record in `file`, an SQLite database that is made when it is first needed."""

    file: Path

    def graded(self, report: Report, generation: str, course: Course) -> None:
        """Add a grading: with each mark what was observed, and by which check and edition it was given."""
        with self._open() as database:
            row = (_now(), report.lab, generation, edition_digest(course.repo), checks_digest(course.repo, report.lab))
            cursor = database.execute(
                "insert into grading (time, lab, generation, edition, checks, seconds) values (?, ?, ?, ?, ?, ?)",
                (*row, report.seconds),
            )
            database.executemany(
                "insert into result values (?, ?, ?, ?, ?, ?)",
                [
                    (
                        *(cursor.lastrowid, each.id, each.result, each.points, each.max_points),
                        json.dumps(both(each.evidence), ensure_ascii=False),
                    )
                    for each in report.objectives
                ],
            )

    def event(self, kind: str, lab: str, detail: str = "") -> None:
        """Add something that happened: started, reset, solved, hint, planted, repaired."""
        with self._open() as database:
            database.execute("insert into event values (?, ?, ?, ?)", (_now(), lab, kind, detail))

    def progress(self) -> dict[str, LabRecord]:
        """Return what the record has of each lab; nothing of a lab that was neither graded nor used."""
        labs: defaultdict[str, LabRecord] = defaultdict(LabRecord)
        if not self.file.exists():
            return labs
        with self._open() as database:
            for lab, objective, time, points in database.execute(
                "select lab, objective, min(time), max(points) from result join grading on grading.id = grading "
                "where result = 'passed' group by lab, objective"
            ):
                labs[lab].passed[objective] = time
                labs[lab].points += points
            for lab, kind, count in database.execute("select lab, kind, count(*) from event group by lab, kind"):
                match kind:
                    case "hint":
                        labs[lab].hints = count
                    case "planted":
                        labs[lab].faults = count
                    case "reset":
                        labs[lab].resets = count
        return labs

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Open the database for one transaction. A damaged one is moved aside: it must not stop a grading."""
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            database = self._connect()
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", None) not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                raise  # such as a lock or a full disk: the file itself is fine
            self.file.replace(self.file.with_suffix(f".damaged-{datetime.now(UTC):%Y%m%d%H%M%S%f}"))
            database = self._connect()
        try:
            with database:
                yield database
        finally:
            database.close()

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.file, timeout=20)
        try:
            if database.execute("pragma user_version").fetchone() == (0,):
                with database:
                    database.execute("begin immediate")
                    if database.execute("pragma user_version").fetchone() == (0,):  # another process may have made them
                        for statement in filter(str.strip, _TABLES.split(";")):
                            database.execute(statement)
                        database.execute(f"pragma user_version = {VERSION}")
            database.execute("select count(*) from result").fetchone()
        except sqlite3.DatabaseError:
            database.close()
            raise
        return database


def edition_digest(repo: Path) -> str:
    """Return a digest of the versions that the hosts run."""
    return hashlib.sha256((repo / "vagrant" / "versions.yml").read_bytes()).hexdigest()[:12]


def checks_digest(repo: Path, lab: str) -> str:
    """Return a digest of everything that decides what the checks of a lab find."""
    checks = repo / "checks"
    digest = hashlib.sha256()
    for file in sorted([*checks.glob("*.py"), *(checks / lab).glob("**/*.py")]):
        digest.update(str(file.relative_to(checks)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
