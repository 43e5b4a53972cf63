"""Tests come in many styles; each must call the code from outside and count its cases."""

from __future__ import annotations

import pytest

from tests.studio.sandbox.conftest import Judge, counts

PLUS_ONE = "def f(x):\n    return x + 1\n"


def test_humaneval_check_is_one_case(judge: Judge) -> None:
    tests = (
        "METADATA = {'author': 'x'}\n\ndef check(candidate):\n    assert candidate(1) == 2\n"
        "    assert candidate(2) == 3\n\ncheck(f)\n"
    )
    assert counts(judge(PLUS_ONE, tests)) == ("passed", 1, 1)
    assert counts(judge("def f(x): return 2", tests)) == ("wrong_answer", 0, 1)


def test_setup_helpers_loops_and_guards(judge: Judge) -> None:
    tests = """
from __future__ import annotations
import math

def twice(n: Unknown):
    return 2 * n

def expect(x, y):
    assert f(x) == y

total = f(0)
for n in range(5):
    assert f(n) == n + 1
expect(2, 3)
if total == 1:
    assert f(twice(2)) == 5
with open('/dev/null') as h:
    assert f(math.floor(2.5)) == 3
if __name__ == "__main__":
    expect(5, 6)
"""
    assert counts(judge(PLUS_ONE, tests)) == ("passed", 5, 5)


def test_expected_exceptions(judge: Judge) -> None:
    code = "def f(x):\n    if x < 0: raise ValueError('negative', x)\n    return x"
    tests = """
try:
    f(-1)
    assert False, 'no exception'
except ValueError as error:
    assert error.args == ('negative', -1)
try:
    f(-2)
except Exception as error:
    assert type(error) is ValueError
"""
    assert counts(judge(code, tests)) == ("passed", 2, 2)
    assert counts(judge("def f(x): return x", tests)) == ("partial", 1, 2)
    other = judge("def f(x): raise KeyError(x)", tests)
    assert other.verdict == "runtime_error"


def test_exception_of_the_codes_own_class_keeps_its_builtin_base(judge: Judge) -> None:
    code = "class Bad(ValueError): pass\ndef f(x): raise Bad('no')"
    tests = "try:\n    f(1)\n    assert False\nexcept ValueError as e:\n    assert str(e) == 'no'"
    assert judge(code, tests).verdict == "passed"


def test_raise_instead_of_assert(judge: Judge) -> None:
    tests = "if f(2) != 3:\n    raise AssertionError('f(2)')"
    assert judge(PLUS_ONE, tests).verdict == "passed"
    assert counts(judge("def f(x): return x", tests)) == ("wrong_answer", 0, 1)


def test_test_functions_that_nothing_calls(judge: Judge) -> None:
    tests = (
        "def test_two():\n    assert f(2) == 3\n\ndef test_three():\n    assert f(3) == 4\n\n"
        "def test_called():\n    assert f(4) == 5\n\ntest_called()\n"
    )
    assert counts(judge(PLUS_ONE, tests)) == ("passed", 3, 3)


def test_unittest_methods_are_cases(judge: Judge) -> None:
    tests = """
import unittest
from solution import f

class T(unittest.TestCase):
    def setUp(self): self.x = 2
    def test_a(self): self.assertEqual(f(self.x), 3)
    def test_b(self):
        with self.assertRaises(TypeError) as error:
            f('a')
        self.assertIs(type(error.exception), TypeError)
    def test_c(self):
        for n in range(3):
            with self.subTest(n=n):
                self.assertEqual(f(n), n + 1)

if __name__ == '__main__':
    unittest.main()
"""
    assert counts(judge(PLUS_ONE, tests)) == ("passed", 3, 3)
    wrong = judge("def f(x): return (x + 1) % 3", tests)
    assert counts(wrong) == ("partial", 1, 3)
    assert judge("import os\ndef f(x): os._exit(0)", tests).verdict == "runtime_error"


def test_skipped_methods_are_no_cases(judge: Judge) -> None:
    tests = (
        "import unittest\nclass T(unittest.TestCase):\n  def test_a(self): assert f(2) == 3\n"
        "  @unittest.skip('later')\n  def test_b(self): assert f(2) == 4\n"
    )
    assert counts(judge(PLUS_ONE, tests)) == ("passed", 1, 1)


def test_asserts_hidden_from_view_still_count(judge: Judge) -> None:
    tests = "run = {'check': lambda g: (_ for _ in ()).throw(AssertionError) if g(2) != 3 else 0}\n"
    assert counts(judge(PLUS_ONE, tests + "run['check'](f)")) == ("passed", 1, 1)
    assert counts(judge("def f(x): return x", tests + "run['check'](f)")) == ("wrong_answer", 0, 1)


def test_tests_that_define_a_stub_of_the_entry_point_still_call_the_code(judge: Judge) -> None:
    stub = "def f(x):\n    '''The stub of a prompt.'''\n\ndef helper(x): return x * 2\n"
    code = "def f(x): return x + 1\ndef helper(x): return 0"
    assert judge(code, stub + "assert f(helper(2)) == 5").verdict == "passed"


def test_helper_that_only_the_code_defines(judge: Judge) -> None:
    code = "def encode(s): return s[::-1]\ndef f(s): return s[::-1]"
    assert judge(code, "assert f(encode('abc')) == 'abc'").verdict == "passed"


def test_constants_and_functions_imported_from_the_codes_module(judge: Judge) -> None:
    code = "EQUAL, OTHER = object(), 'other'\ndef f(a, b): return EQUAL if a == b else OTHER"
    for tests in (
        "from sub_list import (f, EQUAL, OTHER)\nassert f(1, 1) == EQUAL\nassert f(1, 2) == OTHER",
        "import lists\nassert lists.f(1, 1) == lists.EQUAL\nassert lists.f(1, 2) == 'other'",
        "from .lists import f, EQUAL\nassert f(1, 1) == EQUAL\nassert f(1, 2) != EQUAL",
    ):
        assert counts(judge(code, tests)) == ("passed", 2, 2)


def test_arguments_are_changed_in_place(judge: Judge) -> None:
    tests = """
xs = [3, 1]
f(xs)
assert xs == [1, 3]
grid = [[2, 1], [4, 3]]
row = grid[0]
f(grid[0])
assert row == [1, 2] and grid == [[1, 2], [4, 3]]
same = f(xs)
assert same is xs
"""
    assert counts(judge("def f(x):\n    x.sort()\n    return x", tests)) == ("passed", 3, 3)


@pytest.mark.parametrize(
    ("code", "call", "after"),
    [
        ("def f(d): d['a'] = [1]", "d = {}", "{'a': [1]}"),
        ("def f(s): s.add(2); s.discard(1)", "d = {1}", "{2}"),
        ("def f(b): b.extend(b'xy')", "d = bytearray(b'a')", "bytearray(b'axy')"),
        ("def f(x): x[0][0] = True", "d = [[1]]", "[[True]]"),
        ("def f(x): x.append(x)", "d = [1]", "None"),
        ("def f(x): x[:] = [x[1], x[0]]", "d = [[1], [2]]", "[[2], [1]]"),
        ("def f(x): x[0].append(9)", "d = [[1]] * 2", "[[1, 9], [1, 9]]"),
    ],
)
def test_every_mutable_argument(judge: Judge, code: str, call: str, after: str) -> None:
    check = "d[1] is d" if after == "None" else f"repr(d) == repr({after})"
    assert judge(code, f"{call}\nf(d)\nassert {check}").verdict == "passed"


def test_an_exception_leaves_the_changes_that_were_made(judge: Judge) -> None:
    code = "def f(x):\n    x.append(1)\n    raise ValueError"
    tests = "d = []\ntry: f(d)\nexcept ValueError: pass\nassert d == [1]"
    assert judge(code, tests).verdict == "passed"


def test_tests_cannot_reach_the_network_either(judge: Judge) -> None:
    tests = "import socket\nassert f(2) == 3\nsocket.socket()\nassert f(2) == 3"
    assert judge(PLUS_ONE, tests).verdict != "passed"


def test_tests_that_use_up_memory(judge: Judge) -> None:
    tests = "n = f(2)\nblock = bytearray(n * 10**11)\nassert block"
    assert judge(PLUS_ONE, tests).verdict == "wrong_answer"
    assert judge(PLUS_ONE, "block = bytearray(10**12)\nassert f(2) == 3").verdict == "harness_error"
