"""What is shown of the log of a task that ended without a result."""

import json

import pytest

from hybrid.sites.last_words import LONGEST, TAIL_BYTES, LastWords, last_words

BEGIN = "--- begins: submission {}, on node7 at Mon Jan  5 10:00:00 UTC 2026\n"
END = "--- ends with exit code {}\n"


@pytest.fixture
def told(tmp_path):
    """What is known from a log, a report, and the scheduler's own file."""

    def ask(log=None, report=None, scheduler=None, submission=1):
        for name, content in (("3.log", log), ("3.json", report), ("3.out", scheduler)):
            if content is not None:
                (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return last_words(tmp_path / "3.log", submission, tmp_path / "3.out")

    return ask


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (None, LastWords()),
        ("", LastWords()),
        (
            "job-1.sh: line 14: /no/python: No such file\n" + END.format(127),
            LastWords("job-1.sh: line 14: /no/python: No such file", 127),
        ),
        ("hybrid: the disk is full\n\n" + END.format(1), LastWords("the disk is full", 1)),
        ("Traceback (most recent call last):\n  File ...\nMemoryError\n" + END.format(1), LastWords("MemoryError", 1)),
        (
            "ModuleCmd_Load.c(213):ERROR:105: Unable to locate 'x'\n" + END.format(1),
            LastWords("ModuleCmd_Load.c(213):ERROR:105: Unable to locate 'x'", 1),
        ),
        ("working\n", LastWords("working")),
        ("step 1\rstep 2\r\n \n" + END.format(75), LastWords("step 2", 75)),
        ("\x1b[31mred\x1b[0m \x07bell\n" + END.format(2), LastWords("red bell", 2)),
        ("torn lin", LastWords("torn lin")),
        (END.format(0), LastWords("", 0)),
        (END.format("?"), LastWords()),
        ("late words of a process that was left behind\n", LastWords("late words of a process that was left behind")),
    ],
)
def test_the_last_line_and_the_exit_code(told, log, words):
    assert told(None if log is None else BEGIN.format(1) + log) == words


def test_words_of_earlier_attempts_are_over(told):
    first = BEGIN.format(1) + "hybrid: the disk is full\n" + END.format(1)
    assert told(first + BEGIN.format(2), submission=2) == LastWords()
    assert told(first, submission=2) == LastWords()
    assert told(first, submission=1) == LastWords("the disk is full", 1)
    assert told(first + "bash: job-1.sh: No such file\n", submission=1).message == "the disk is full"


def test_the_report_of_a_failed_point_says_more_than_its_log(told):
    failed = {"points": [{"status": "failed", "message": "the device is away"}]}
    log = BEGIN.format(1) + "some warning\n" + END.format(5)
    assert told(log, json.dumps(failed)) == LastWords("the device is away", 5)
    for damage in ("", "[", "[]", "{}", '{"points": 3}', '{"points": [{}]}', "[" * 10**5, "1" * 5000, b"\xff", "null"):
        assert told(log, damage) == LastWords("some warning", 5)


def test_the_scheduler_says_why_it_ended_a_task(told):
    killed = "slurmstepd: error: *** JOB 7 ON node7 CANCELLED AT 2026-01-05T10:00:00 DUE TO TIME LIMIT ***\n"
    assert told(BEGIN.format(1) + "working\n", scheduler=killed).message == killed.strip()
    assert told(scheduler=killed).message == killed.strip()
    assert told(BEGIN.format(1) + "no\n" + END.format(1), scheduler=killed) == LastWords("no", 1)


def test_of_a_huge_log_only_the_end_is_read(told):
    long = "x" * 10**6
    assert told(BEGIN.format(1) + long + "\n" + END.format(1)) == LastWords(long[:LONGEST], 1)
    assert told(BEGIN.format(1) + "y\n" * TAIL_BYTES + "last \xff\n" + END.format(1)) == LastWords("last \xff", 1)
    assert told(b"\xff\xfe\n" + END.format(1).encode()).message == "\ufffd\ufffd"
