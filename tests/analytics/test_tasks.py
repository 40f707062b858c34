"""How a worker recognises itself and the dead."""

import subprocess
import sys

import pytest

from analytics import tasks


class TestIsGone:
    def test_knows_that_this_process_lives(self):
        assert not tasks.is_gone(tasks.worker_name())

    def test_knows_that_a_process_has_ended(self):
        host = tasks.worker_name().partition("/")[0]
        ended = subprocess.Popen([sys.executable, "-c", ""])
        ended.wait()

        assert tasks.is_gone(f"{host}/{ended.pid}/1")

    def test_tells_a_number_used_again_from_the_process_that_had_it(self):
        host, number, _started = tasks.worker_name().split("/")

        assert tasks.is_gone(f"{host}/{number}/1")

    @pytest.mark.parametrize("worker", ["elsewhere/1/1", "", "nonsense", "a/b/c"])
    def test_says_nothing_of_others(self, worker):
        assert not tasks.is_gone(worker)
