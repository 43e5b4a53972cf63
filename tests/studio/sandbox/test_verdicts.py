"""What ordinary code gets: the right word, the right counts, a line that says why."""

from __future__ import annotations

import pytest

from studio.sandbox import Case, Limits, Task, run_tasks
from studio.sandbox.verdicts import one_line
from tests.studio.sandbox.conftest import Judge, Run

PLUS_ONE = "def f(x):\n    return x + 1\n"


def test_right_code_passes_every_assert(judge: Judge) -> None:
    result = judge(PLUS_ONE, "assert f(2) == 3\nassert f(-1) == 0")
    assert (result.verdict, result.cases_passed, result.cases) == ("passed", 2, 2)
    assert result.detail == ""


def test_wrong_answer_shows_both_sides(judge: Judge) -> None:
    result = judge("def f(x): return [x]", "assert f(2) == [3], 'off by one'")
    assert result.verdict == "wrong_answer"
    assert result.detail == "assert f(2) == [3]: left [2], right [3]"


def test_some_asserts_passed_is_partial(judge: Judge) -> None:
    result = judge("def f(x): return 3", "assert f(2) == 3\nassert f(3) == 4\nassert f(2) > 1")
    assert (result.verdict, result.cases_passed, result.cases) == ("partial", 2, 3)
    assert "assert f(3) == 4" in result.detail


def test_exception_of_the_code_shows_its_line(judge: Judge) -> None:
    result = judge("def f(x):\n    y = x\n    return y.no", "assert f(2) == 3")
    assert result.verdict == "runtime_error"
    assert "line 3: AttributeError: 'int' object has no attribute 'no'" in result.detail


def test_exception_while_loading(judge: Judge) -> None:
    result = judge("import no_such_module\ndef f(x): return 3", "assert f(2) == 3\nassert f(3)")
    assert (result.verdict, result.cases_passed, result.cases) == ("runtime_error", 0, 2)
    assert "no_such_module" in result.detail


def test_entry_point_is_declared_never_inferred(judge: Judge) -> None:
    result = judge("def g(x): return 3", "assert f(2) == 3")
    assert result.verdict == "no_entry_point"
    assert "`f`" in result.detail


def test_entry_point_must_be_callable(judge: Judge) -> None:
    assert judge("f = 3", "assert f == 3").verdict == "no_entry_point"


@pytest.mark.parametrize("code", ["", "  \n\t\n"])
def test_blank_answer(judge: Judge, code: str) -> None:
    assert judge(code, "assert f(2) == 3").verdict == "no_code"


def test_code_that_does_not_compile(judge: Judge) -> None:
    result = judge("def f(x):\nreturn 3", "assert f(2) == 3")
    assert result.verdict == "syntax_error"
    assert result.detail.startswith("line 2: ")
    assert result.cases == 1


@pytest.mark.parametrize(
    "tests",
    [
        "assert f(2) = 3",
        "assert f(2) == 3\0",
        "assert undefined_name(2) == 3",
        "import no_such_module\nassert f(2) == 3",
        "x = 1 / 0\nassert f(2) == 3",
        "",
        "# nothing\nimport math",
        "assert False",
    ],
)
def test_broken_tests_are_not_held_against_the_code(judge: Judge, tests: str) -> None:
    assert judge(PLUS_ONE, tests).verdict == "harness_error"


def test_endless_tests_are_not_held_against_the_code(judge: Judge) -> None:
    assert judge(PLUS_ONE, "while True: pass", timeout=1.0).verdict == "harness_error"


def test_wrong_type_is_the_codes_fault(judge: Judge) -> None:
    result = judge("def f(x): return None", "a, b = f(2)\nassert a == b")
    assert result.verdict == "wrong_answer"
    assert "TypeError" in result.detail


def test_slow_tests_on_the_codes_answers_run_out_of_time(judge: Judge) -> None:
    result = judge(PLUS_ONE, "n = f(2)\nwhile n: pass\nassert n", timeout=0.5)
    assert result.verdict == "timeout"


def test_the_deadline_is_one_for_the_item(judge: Judge) -> None:
    code = "import time\ndef f(x):\n    time.sleep(0 if x == 0 else 0.1)\n    return x"
    tests = "\n".join(f"assert f({n}) == {n}" for n in range(50))
    result = judge(code, tests, timeout=2.0)
    assert result.verdict == "timeout"
    assert 0 < result.cases_passed < 50


def test_memory_that_the_code_gives_back_is_no_failure(judge: Judge) -> None:
    code = "def f(x):\n    try: bytearray(10**12)\n    except MemoryError: return 3"
    assert judge(code, "assert f(2) == 3").verdict == "passed"


def test_detail_is_safe_to_show(judge: Judge) -> None:
    code = "def f(x): raise ValueError('\\x1b[31mred\\x07 \\u202e back\\nnext')"
    detail = judge(code, "assert f(2) == 3").detail
    assert detail.isprintable()
    assert "red" in detail


def test_one_line_replaces_what_a_terminal_would_act_on() -> None:
    assert one_line("a\x1b[2Jb\r\nc\u200fd") == "a\ufffd[2Jb c\ufffdd"
    assert len(one_line("x" * 5000)) == 300


def test_code_keeps_no_state_between_items(judge: Judge) -> None:
    leave = "open('/tmp/left', 'w').write('x')\nimport math\nmath.pi = 3\ndef f(x): return 3"
    assert judge(leave, "assert f(2) == 3").verdict in ("passed", "runtime_error")
    look = "import math, os\ndef f(x): return (os.path.exists('/tmp/left'), math.pi > 3)"
    assert judge(look, "assert f(2) == (False, True)").verdict == "passed"


def test_what_cannot_be_cleared_away_reaches_no_other_item(judge: Judge) -> None:
    hide = (
        "import os\ndef f(x):\n    os.makedirs('/tmp/a/b')\n    os.mkdir('/tmp/c', 0o300)\n"
        "    os.mkdir('/tmp/c/d')\n    return 3"
    )
    assert judge(hide, "assert f(2) == 3").verdict in ("passed", "runtime_error")
    look = "import os\ndef f(x): return os.path.exists('/tmp/a') or os.path.exists('/tmp/c')"
    assert judge(look, "assert f(2) is False").verdict == "passed"


def test_same_random_numbers_and_hashes_every_time(judge: Judge) -> None:
    code = "import random\ndef f(x): return random.random(), hash('a')"
    seen = {judge(code, "assert f(2) == 0").detail for _ in range(2)}
    assert len(seen) == 1


def test_crash_counts_what_passed_before(judge: Judge) -> None:
    code = "import os\ndef f(x):\n    if x > 1: os.abort()\n    return x"
    result = judge(code, "assert f(1) == 1\nassert f(2) == 2\nassert f(1) == 1")
    assert (result.verdict, result.cases_passed, result.cases) == ("crash", 1, 3)
    assert "SIG" in result.detail


def test_thread_with_a_deep_stack_works(judge: Judge) -> None:
    code = """
import sys, threading
sys.setrecursionlimit(100_000)
threading.stack_size(64 << 20)
def depth(n): return 0 if n == 0 else 1 + depth(n - 1)
def f(x):
    out = []
    t = threading.Thread(target=lambda: out.append(depth(x)))
    t.start(); t.join()
    return out[0]
"""
    assert judge(code, "assert f(20_000) == 20_000").verdict == "passed"


def test_asyncio_works(judge: Judge) -> None:
    code = "import asyncio\nasync def g(x): return x + 1\ndef f(x): return asyncio.run(g(x))"
    assert judge(code, "assert f(2) == 3").verdict == "passed"


def test_scratch_files_work_in_tier_a(judge: Judge) -> None:
    code = (
        "import tempfile\ndef f(x):\n    with tempfile.TemporaryFile('w+') as t:\n"
        "        t.write('ab'); t.seek(0); return t.read()"
    )
    result = judge(code, "assert f(2) == 'ab'")
    assert result.verdict == ("passed" if result.tier == "A" else "runtime_error")


def test_program_reads_in_every_usual_way(run_program: Run) -> None:
    for reading in (
        "input() + ' ' + input()",
        "' '.join(sys.stdin.read().split())",
        "sys.stdin.buffer.read().decode().replace('\\n', ' ').strip()",
        "' '.join(open(0).read().split())",
        "' '.join(line.strip() for line in sys.stdin)",
        "' '.join(os.read(0, 99).decode().split())",
        "' '.join(open('/dev/stdin').read().split())",
    ):
        result = run_program(f"import os, sys\nprint({reading})", ("a b\nc\n", "a b c\n"))
        assert result.verdict == "passed", (reading, result)


def test_program_runs_as_main_and_afresh_for_each_case(run_program: Run) -> None:
    code = "n = globals().get('n', 0) + 1\nif __name__ == '__main__':\n    print(n, input())"
    result = run_program(code, ("a", "1 a"), ("b", "1 b"))
    assert (result.verdict, result.cases_passed, result.cases) == ("passed", 2, 2)


@pytest.mark.parametrize(
    ("printed", "expected", "verdict"),
    [
        ("a\\r\\nb", "a\nb\n", "passed"),
        ("a  \\nb\\t\\n\\n\\n", "a\nb", "passed"),
        ("a\\nb", "a \nb\r\n", "passed"),
        (" a", "a", "wrong_answer"),
        ("a\\n\\nb", "a\nb", "wrong_answer"),
        ("A", "a", "wrong_answer"),
        ("1.0", "1", "wrong_answer"),
        ("é ☃", "é ☃", "passed"),
    ],
)
def test_text_comparison(run_program: Run, printed: str, expected: str, verdict: str) -> None:
    assert run_program(f"print('{printed}', end='')", ("", expected)).verdict == verdict


def test_program_that_exits_with_zero_is_judged_by_what_it_printed(run_program: Run) -> None:
    assert run_program("import sys\nprint(1)\nsys.exit()", ("", "1")).verdict == "passed"
    assert run_program("import sys\nprint(1)\nsys.exit(1)", ("", "1")).verdict == "runtime_error"
    assert run_program("print(1)\nraise ValueError(2)", ("", "1")).detail == "ValueError: 2"
    assert run_program("import os\nprint(2)\nos._exit(0)", ("", "1")).verdict == "wrong_answer"


def test_program_uses_what_a_plain_python_has(run_program: Run) -> None:
    assert run_program("print(1)\nexit()\nprint(2)", ("", "1")).verdict == "passed"
    assert run_program("print(1)\nquit(3)", ("", "1")).verdict == "runtime_error"
    assert run_program("\ufeffprint(1)", ("", "1")).verdict == "passed"
    deep = (
        "import resource, sys\nresource.setrlimit(resource.RLIMIT_STACK, (-1, -1))\n"
        "sys.setrecursionlimit(10**6)\ndef d(n): return n and d(n - 1)\nprint(d(50_000))"
    )
    assert run_program(deep, ("", "0")).verdict == "passed"


def test_program_waits_for_its_threads_and_exit_handlers(run_program: Run) -> None:
    code = (
        "import atexit, threading\natexit.register(print, 'end')\n"
        "threading.Timer(0.05, print, ['thread']).start()"
    )
    assert run_program(code, ("", "thread\nend")).verdict == "passed"


def test_program_verdicts(run_program: Run) -> None:
    assert run_program("print(", ("", "1")).verdict == "syntax_error"
    assert run_program("", ("", "1")).verdict == "no_code"
    assert run_program("while True: print('x' * 99)", ("", "1")).verdict == "output_limit"
    assert run_program("bytearray(10**12)", ("", "1")).verdict == "memory"
    assert run_program("import ctypes\nctypes.string_at(0)", ("", "1")).verdict == "crash"
    looping = "if input() == 'b':\n    while True: pass\nprint('a')"
    result = run_program(looping, ("a", "a"), ("b", "a"), ("a", "a"), timeout=2.0)
    assert (result.verdict, result.cases_passed, result.cases) == ("timeout", 1, 3)
    partial = run_program("print(1)", ("", "1"), ("", "2"))
    assert (partial.verdict, partial.cases_passed) == ("partial", 1)
    assert partial.detail == "case 2 of 2: line 1: printed '1', expected '2'"


def test_dataclasses_and_pickle_find_the_codes_module(judge: Judge) -> None:
    code = (
        "from __future__ import annotations\nimport dataclasses, pickle\n"
        "@dataclasses.dataclass\nclass P:\n    x: int = 1\n"
        "def f(x): return pickle.loads(pickle.dumps(P(x))).x"
    )
    assert judge(code, "assert f(2) == 2").verdict == "passed"


def test_a_task_needs_tests_or_cases() -> None:
    with pytest.raises(ValueError, match="either tests or cases"):
        Task("a", "x")
    with pytest.raises(ValueError, match="entry_point"):
        Task("a", "x", tests="assert f(1)")
    with pytest.raises(ValueError, match="no cases"):
        Task("a", "x", cases=())
    with pytest.raises(ValueError, match="timeout"):
        Task("a", "x", cases=(Case("", ""),), timeout=0)


def test_smaller_limits_are_kept() -> None:
    code = "def f(x): return len(bytearray(x))"
    tests = "assert f(10**8) == 10**8"
    tasks = [Task("a", code, "f", tests)]
    (roomy,) = run_tasks(tasks, workers=1)
    (tight,) = run_tasks(tasks, workers=1, limits=Limits(memory=100 << 20))
    assert (roomy.verdict, tight.verdict) == ("passed", "memory")
