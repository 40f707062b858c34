"""Keep web, worker and beat alive until Ctrl-C; leave nobody behind.

Nothing but the standard library is imported: this process lives as long as all the others and
should cost next to nothing. Each child leads a process group of its own, so that a terminal's
Ctrl-C reaches only this process, and what a killed child leaves behind can be ended with it.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0  # before a dead child is started again
SETTLED_S = 10.0  # a child that lived so long has started well
FRUITLESS = 5  # starts in a row that fail at once: the reason will not go away
GRACE_S = 15.0  # for children to end before they are killed
PR_SET_PDEATHSIG = 1  # Linux: have the kernel tell a child that its parent died
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CELERY = ("-m", "celery", "--quiet", "--app", "amc_trader.celery")
COMMANDS: dict[str, tuple[str, ...]] = {
    "web": ("-m", "gunicorn", "--config", "python:amc_trader.gunicorn"),
    "worker": (*CELERY, "worker", "--without-gossip", "--without-mingle", "--without-heartbeat"),
    "beat": (*CELERY, "beat", "--pidfile=", "--max-interval=30"),
}


@dataclass
class Child:
    """One process that is kept alive."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    failures: int = 0

    def start(self, now: float) -> None:
        parent = os.getpid()
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            self.command,
            start_new_session=True,
            preexec_fn=lambda: _die_with(parent),  # noqa: PLW1509 - we have no threads
            env={
                **os.environ,
                "AMC_PROCESS": self.name,
                "AMC_SUPERVISED": "1",  # who ends is started again
                "CELERY_SKIP_CHECKS": "1",
                "MALLOC_ARENA_MAX": "2",
            },
        )
        self.started_at = now

    def send(self, number: int) -> None:
        """Signal the process, unless it has ended."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)

    def sweep(self) -> None:
        """Kill whatever is left of its process group."""
        if self.process:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def wait_after(self, now: float) -> float:
        """Note a death; return the seconds to wait before the next start."""
        self.failures = 1 if now - self.started_at >= SETTLED_S else self.failures + 1
        return float(min(FIRST_WAIT_S * 2 ** (self.failures - 1), LONGEST_WAIT_S))


def _die_with(parent: int) -> None:
    """Have this process told to end when its parent is killed, where the system can do that."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)


@dataclass
class Supervisor:
    """Starts the children, starts them again when they die, ends them together.

    Args:
        children: Those to keep alive.
        say: Tells a person.
    """

    children: list[Child]
    say: Callable[[str], None]
    grace_s: float = GRACE_S
    _told: list[int] = field(default_factory=list)

    def run(self) -> int:
        """Run until told to end; return the exit code."""
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer)
        for number in (*ENDINGS, signal.SIGCHLD):
            signal.signal(number, self._note)
        failed = False
        try:
            while not self._told and not failed:
                wait = self._keep_alive(time.monotonic())
                failed = any(child.failures >= FRUITLESS for child in self.children)
                if not failed:
                    _sleep(reader, wait)
        finally:
            self._end(reader)
        return 1 if failed else 0

    def _note(self, number: int, _frame: object) -> None:
        if number != signal.SIGCHLD:
            self._told.append(number)

    def _keep_alive(self, now: float) -> float:
        """Start what is due; return the seconds until there may be more to do."""
        soonest = LONGEST_WAIT_S
        for child in self.children:
            if child.is_alive():
                continue
            if child.process is not None:
                child.sweep()
                wait = child.wait_after(now)
                self.say(f"{child.name} ended ({_reason(child)}); again in {wait:g} s")
                child.process, child.start_at = None, now + wait
            if now >= child.start_at:
                child.start(now)
            else:
                soonest = min(soonest, child.start_at - now)
        return soonest

    def _end(self, reader: int) -> None:
        """End all children: first asked, then killed; a second Ctrl-C kills at once."""
        for child in reversed(self.children):
            child.send(signal.SIGTERM)
        deadline, told = time.monotonic() + self.grace_s, len(self._told)
        while any(child.is_alive() for child in self.children):
            left = deadline - time.monotonic()
            if left <= 0 or len(self._told) > told:
                break
            _sleep(reader, min(left, 0.5))
        for child in self.children:
            if child.is_alive():
                self.say(f"{child.name} did not end in time and was killed")
            child.sweep()
            if child.process:
                child.process.wait()


def _sleep(reader: int, seconds: float) -> None:
    """Wait, but not beyond the next signal."""
    ready, _, _ = select.select([reader], [], [], max(seconds, 0.0))
    if ready:
        os.read(reader, 4096)


def _reason(child: Child) -> str:
    code = child.process.returncode if child.process else 0
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _say(text: str) -> None:
    sys.stderr.write(f"supervisor: {text}\n")
    sys.stderr.flush()


def main(commands: dict[str, tuple[str, ...]]) -> int:
    """Supervise these arguments of Python, by the name of the child."""
    children = [
        Child(name=name, command=[sys.executable, *arguments])
        for name, arguments in commands.items()
    ]
    return Supervisor(children=children, say=_say).run()


if __name__ == "__main__":
    sys.exit(main(COMMANDS))
