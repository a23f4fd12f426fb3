"""The child process in which hostile bytes are read: its bounds, and what becomes of a worker."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import ValidationError

from documents.checks import bounded, check_file
from documents.checks.bounded import Limits, call, run
from documents.enums import Formats
from tests.documents import misbehaving
from tests.documents.builders import make_pdf

MEGABYTE = 1024 * 1024
BUSY = Limits(cpu_seconds=1, wall_seconds=30)  # on a busy machine, one second of it takes several
SHORT = Limits(wall_seconds=1)
SMALL = Limits(memory_bytes=100 * MEGABYTE)


def code(function, *arguments, **options):
    with pytest.raises(ValidationError) as caught:
        run(function, *arguments, **options)
    assert len(caught.value.messages) == 1
    return caught.value.code


def server():
    """The process that forks the children of this one; started if need be."""
    run(misbehaving.give_back)
    return bounded._server._process.pid


# What crosses

PLAIN = [None, True, -3, 1.5, "été\ud800\0", b"", b"\0\xff" * 9, [[b"a"], {"k": [b"b", "c"]}], {}]


def test_plain_values_cross_both_ways():
    assert run(misbehaving.give_back, *PLAIN) == PLAIN


def test_twelve_megabytes_cross_both_ways():
    content = os.urandom(12 * MEGABYTE)

    assert run(misbehaving.give_back, content) == [content]


def test_an_enum_arrives_as_its_value():
    assert run(misbehaving.give_back, Formats.PDF) == ["pdf"]


@pytest.mark.parametrize("value", [object(), {"bytes": 0}, {1}])
def test_what_is_not_plain_is_a_fault_of_ours(value):
    with pytest.raises(TypeError):
        run(misbehaving.give_back, value)


def test_a_refusal_keeps_its_code_and_its_sentence():
    with pytest.raises(ValidationError, match="Non") as caught:
        run(misbehaving.refuse)

    assert caught.value.code == "no"


def test_an_exception_is_a_refusal_and_is_logged(caplog):
    assert code(misbehaving.fail, "secret\nline") == "damaged"
    assert "misbehaving.fail" in caplog.text
    assert "LookupError" in caplog.text
    assert "\nline" not in caplog.text  # whatever it says stays on one line


def test_an_answer_that_is_not_plain_is_told_in_the_log(caplog):
    assert code(misbehaving.give_an_object) == "damaged"
    assert "object is not JSON serializable" in caplog.text


# Bounds


@pytest.mark.parametrize(
    ("function", "arguments", "limits", "answer"),
    [
        (misbehaving.spin, [], BUSY, "too_complex"),
        (misbehaving.fill_memory, [], SMALL, "too_complex"),
        (misbehaving.die_by, [signal.SIGKILL], BUSY, "too_complex"),  # Linux, short of memory
        (misbehaving.sleep, [], SHORT, "unavailable"),  # no processor used: a busy machine
        (misbehaving.crash, [], BUSY, "damaged"),
        (misbehaving.die_by, [signal.SIGABRT], BUSY, "damaged"),
        (misbehaving.leave, [], BUSY, "damaged"),
    ],
)
def test_a_child_that_goes_too_far_is_a_refusal(function, arguments, limits, answer):
    before = server()

    assert code(function, *arguments, limits=limits) == answer
    assert server() == before  # the others' children are no worse for it
    assert children_of(before) == []


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return file.read().split()


def test_memory_is_bounded_above_what_the_libraries_take():
    assert run(misbehaving.hold, 40, limits=SMALL) == 40 * MEGABYTE
    assert code(misbehaving.hold, 120, limits=SMALL) == "too_complex"


def test_a_child_writes_no_file(tmp_path):
    assert code(misbehaving.write_file, str(tmp_path / "file")) == "damaged"
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == 0


def test_a_child_holds_its_own_socket_only():
    with ThreadPoolExecutor(3) as pool:
        others = [pool.submit(run, misbehaving.sleep, 0.5) for _ in range(2)]
        time.sleep(0.2)
        held = run(misbehaving.open_descriptors)
        for other in others:
            other.result()

    assert held == [0, 1, 2, 3, 4]  # 4 is the folder that lists them


def test_a_child_knows_no_secret(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    bounded._server.stop()

    known = run(misbehaving.environment)

    assert set(known) <= {*bounded.KEPT_VARIABLES, "PYTHONPATH", "MALLOC_ARENA_MAX", "LC_CTYPE"}


# A child that the file has taken over


def test_a_pickle_is_not_opened(tmp_path):
    assert code(misbehaving.say_pickle, str(tmp_path / "planted")) == "damaged"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nothing",
        "[]",
        "[1, 2, 3]",
        '[{"bytes": 0}, []]',
        '[{"bytes": "a"}, [0]]',
        '[{"bytes": []}, []]',
        "[[], {}]",
        "[[], 5]",
        '[{"refused": [1, 2]}, []]',
        '[{"raised": 5}, []]',
        "[" * 100_000,
        "[{}, [" + "9" * 10_000 + "]]",
    ],
)
def test_a_message_of_another_form_is_a_refusal(text):
    assert code(misbehaving.say_text, text) == "damaged"


def test_a_message_too_long_is_a_refusal():
    assert code(misbehaving.say_huge) == "damaged"
    assert code(misbehaving.say_too_early) == "damaged"


# The server and its workers


def test_a_server_that_was_killed_is_started_again():
    before = server()
    os.kill(before, signal.SIGKILL)

    assert run(misbehaving.give_back, 1) == [1]
    assert server() != before


def test_a_server_killed_at_each_turn_is_a_true_sentence():
    with pytest.raises(ValidationError, match="réessayez dans quelques minutes") as caught:
        run(misbehaving.kill_server, limits=SHORT)

    assert caught.value.code == "unavailable"
    assert run(misbehaving.give_back, 1) == [1]


def test_a_server_that_hangs_is_a_true_sentence(monkeypatch):
    monkeypatch.setattr(bounded, "MARGIN_SECONDS", 0.2)
    os.kill(server(), signal.SIGSTOP)

    assert code(misbehaving.give_back, limits=Limits(wall_seconds=0.3)) == "unavailable"
    monkeypatch.undo()
    assert run(misbehaving.give_back, 1) == [1]


def test_without_any_server_the_file_is_not_to_blame(monkeypatch):
    bounded._server.stop()
    monkeypatch.setattr(sys, "executable", "/nowhere/python")

    assert code(misbehaving.give_back) == "unavailable"


def test_threads_share_one_server():
    before, content = server(), make_pdf()
    with ThreadPoolExecutor(8) as pool:
        checks = [pool.submit(check_file, "a.pdf", content, formats="any") for _ in range(40)]
        checks += [pool.submit(run, misbehaving.give_back, number) for number in range(40)]
        results = [check.result() for check in checks]

    assert [result.pages for result in results[:40]] == [1] * 40
    assert results[40:] == [[number] for number in range(40)]
    assert server() == before


def test_what_a_child_costs_is_told():
    outcome = call(misbehaving.hold, 200)

    assert outcome.value() == 200 * MEGABYTE
    assert outcome.memory_bytes > 200 * MEGABYTE
    assert 0 < outcome.cpu_seconds < 5


# Processes of their own: one has no thread, the other is killed.

FORKED = """
import os, sys
from documents.checks import bounded
from tests.documents.misbehaving import give_back

def server():
    bounded.run(give_back)
    return bounded._server._process.pid

first = server()
pid = os.fork()  # as gunicorn does with its workers
if not pid:
    assert bounded.run(give_back, 1) == [1]
    assert server() != first
    sys.exit(3)
_, status = os.waitpid(pid, 0)
assert os.waitstatus_to_exitcode(status) == 3
assert server() == first
print("ok")
"""


def test_a_forked_worker_starts_a_server_of_its_own():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKED], capture_output=True, text=True, timeout=60
    )

    assert (done.stdout, done.stderr, done.returncode) == ("ok\n", "", 0)


KILLED = """
import os, signal, sys
from documents.checks import bounded
from tests.documents.misbehaving import give_back
bounded.run(give_back)
print(bounded._server._process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_server_goes_with_its_worker_even_killed():
    done = subprocess.run(
        [sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True, timeout=60
    )

    assert done.returncode == -signal.SIGKILL
    orphan, start = int(done.stdout), time.monotonic()
    while is_alive(orphan):
        assert time.monotonic() - start < 10
        time.sleep(0.05)


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
