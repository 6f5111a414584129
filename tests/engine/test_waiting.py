"""Waiting for a condition."""

from concurrent.futures import Future
from itertools import count

import pytest

from labs.engine.waiting import wait_until


def test_a_condition_that_holds_is_not_waited_for() -> None:
    assert wait_until(lambda: True, 0)


def test_a_condition_is_looked_at_until_it_holds() -> None:
    looks = count()
    assert wait_until(lambda: next(looks) == 3, 60, pause=0)
    assert next(looks) == 4


def test_a_condition_that_never_holds_is_given_up() -> None:
    assert not wait_until(lambda: False, 0)


def test_an_error_of_what_is_waited_for_is_raised_at_once() -> None:
    failed: Future[None] = Future()
    failed.set_exception(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        wait_until(lambda: False, 60, failed=[failed])


def test_what_succeeded_does_not_end_the_waiting() -> None:
    done: Future[None] = Future()
    done.set_result(None)
    looks = count()
    assert wait_until(lambda: next(looks) == 2, 60, failed=[done], pause=0)
