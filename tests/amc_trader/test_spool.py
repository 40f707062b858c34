"""The embedded broker: nothing lost, nothing twice, nothing that ends the worker."""

import os
import stat
import time
from queue import Empty

import pytest
from kombu import Connection, Exchange, Producer, Queue

from amc_trader import spool
from tests.amc_trader import spool_processes


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "spool"


@pytest.fixture
def connection(folder):
    with spool_processes.connect(folder) as connection:
        yield connection


def take(connection: Connection, **options):
    queue = connection.SimpleQueue("work", **options)
    return queue.get(block=False)


def files(folder, room):
    return sorted(path for path in (folder / room).rglob("*.msg"))


class TestSpool:
    @pytest.mark.slow
    def test_loses_nothing_and_delivers_nothing_twice_under_race(self, folder):
        lost, twice, _seconds = spool_processes.race(folder, producers=2, each=2500, consumers=2)

        assert (lost, twice) == (0, 0)
        assert files(folder, "queues") == files(folder, "claimed") == files(folder, "bad") == []

    def test_delivers_in_the_order_of_publishing(self, connection):
        queue = connection.SimpleQueue("work")
        for number in range(20):
            queue.put(number)

        assert [take(connection).payload for _ in range(20)] == list(range(20))

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"body": 1}', b"\xff\xfe"])
    def test_puts_aside_what_it_cannot_read_and_goes_on(self, folder, connection, content):
        connection.SimpleQueue("work").put("good")
        bad = folder / "queues" / "work" / f"{0:020d}-bad.msg"
        bad.write_bytes(content)

        assert take(connection).payload == "good"
        assert [path.name for path in files(folder, "bad")] == [bad.name]

    def test_does_not_look_at_other_files(self, folder, connection):
        connection.SimpleQueue("work").put("good")
        (folder / "queues" / "work" / "0000.txt").write_text("note")

        assert take(connection).payload == "good"
        assert connection.SimpleQueue("work").qsize() == 0

    def test_keeps_a_claim_until_it_is_acknowledged(self, folder, connection):
        connection.SimpleQueue("work").put("task")

        message = take(connection)

        assert len(files(folder, "claimed")) == 1
        message.ack()
        assert files(folder, "claimed") == files(folder, "queues") == []

    def test_puts_back_what_was_claimed_and_not_begun_when_it_closes(self, folder, connection):
        connection.SimpleQueue("work").put("task")
        with spool_processes.connect(folder) as other:
            take(other)
            assert len(files(folder, "claimed")) == 1

        assert files(folder, "claimed") == []
        assert take(connection).payload == "task"

    def test_puts_a_rejected_message_back_once(self, folder, connection):
        connection.SimpleQueue("work").put("task")

        take(connection).reject(requeue=True)

        assert take(connection).payload == "task"
        with pytest.raises(Empty):
            take(connection)

    def test_hands_out_the_claims_of_a_dead_worker_to_nobody(self, folder, connection):
        connection.SimpleQueue("work").put("task")
        files(folder, "queues")[0].rename(folder / "claimed" / "stranded.msg")

        with pytest.raises(Empty):
            take(connection)

    def test_forgets_old_claims_only(self, folder, connection):
        for name in ("old", "new"):
            connection.SimpleQueue("work").put(name)
            take(connection)
        old = files(folder, "claimed")[0]
        os.utime(old, (time.time() - 100, time.time() - 100))

        assert spool.forget_claims(folder, older_than_s=50) == 1
        assert len(files(folder, "claimed")) == 1

    def test_is_closed_to_everyone_but_its_owner(self, folder, connection):
        connection.SimpleQueue("work").put("task")

        folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
        assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}

    def test_reaches_every_queue_of_a_fanout(self, connection):
        exchange = Exchange("news", type="fanout")
        channel = connection.channel()
        queues = [Queue(name, exchange)(channel) for name in ("a.b", "c")]
        for queue in queues:
            queue.declare()

        Producer(channel, exchange).publish("hello", serializer="json")

        assert [queue.get(no_ack=True).payload for queue in queues] == ["hello", "hello"]

    def test_leaves_no_claim_where_nobody_acknowledges(self, folder, connection):
        channel = connection.channel()
        queue = Queue("work", Exchange("work"), routing_key="work")(channel)
        queue.declare()
        Producer(channel, queue.exchange).publish("x", routing_key="work", serializer="json")

        queue.get(no_ack=True)

        assert files(folder, "claimed") == []
