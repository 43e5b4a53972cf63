"""What crosses between the tests and the code: data as it is, objects by reference."""

from __future__ import annotations

from tests.studio.sandbox.conftest import Judge, counts


def test_values_of_every_plain_type_come_back_as_they_are(judge: Judge) -> None:
    values = [
        "None", "True", "0", "-1", "2**53", "-(2**200)", "1.5", "-0.0", "float('inf')", "1e308",
        "3+4j", "''", "'é☃😀'", "'\\ud83d\\ude00'", "'\\ud800'", "'\\x00'", "b'\\x00\\xff'", "()",
        "(1, (2,), [3])", "[]", "{}", "{1: 'a', 'b': (2,), None: {3}}", "set()", "{1, 2}",
        "frozenset({(1, 2)})", "range(3)", "range(10, 0, -2)", "bytearray(b'a')", "int", "str",
    ]  # fmt: skip
    tests = "\n".join(
        f"assert type(f({v})) is type({v}) and repr(f({v})) == repr({v})" for v in values
    )
    assert judge("def f(x): return x", tests + "\nassert f(float('nan')) != 0").verdict == "passed"


def test_subclasses_arrive_as_their_base(judge: Judge) -> None:
    code = """
import collections, enum
P = collections.namedtuple('P', 'a b')
class N(enum.IntEnum): ONE = 1
def f(k):
    return {'c': collections.Counter('aab'), 'o': collections.OrderedDict(a=1),
            'd': collections.defaultdict(list, a=[1]), 'p': P(1, 2), 'n': N.ONE}[k]
"""
    tests = """
assert f('c') == {'a': 2, 'b': 1} and type(f('c')) is dict
assert f('o') == {'a': 1}
assert f('d') == {'a': [1]}
assert f('p') == (1, 2) and type(f('p')) is tuple
assert f('n') == 1 and type(f('n')) is int
"""
    assert counts(judge(code, tests)) == ("passed", 5, 5)


def test_other_objects_have_only_their_truth(judge: Judge) -> None:
    code = "import re\ndef f(s): return re.match('a+', s)"
    assert judge(code, "assert f('aa')\nassert not f('b')\nassert f('b') is None").cases_passed == 3


def test_iterators_can_be_iterated(judge: Judge) -> None:
    code = "from collections import deque\ndef f(n):\n    return deque(range(n))"
    assert judge(code, "assert list(f(3)) == [0, 1, 2]\nassert len(f(3)) == 3").verdict == "passed"
    code = "def f(n):\n    yield from range(n)"
    tests = "g = f(3)\nassert next(g) == 0\nassert list(g) == [1, 2]\nassert [*f(0)] == []"
    assert counts(judge(code, tests)) == ("passed", 3, 3)


def test_returned_functions_can_be_called(judge: Judge) -> None:
    code = "def f(n):\n    def add(m, *, k=0): return n + m + k\n    return add"
    assert judge(code, "assert f(1)(2) == 3\nassert f(1)(2, k=3) == 6").verdict == "passed"


def test_functions_can_be_passed(judge: Judge) -> None:
    code = "def f(g, xs): return [g(x) for x in xs]"
    tests = """
assert f(lambda x: x * 2, [1, 2]) == [2, 4]
assert f(len, ['a', 'bc']) == [1, 2]
assert f(str.upper, ['a']) == ['A']
assert f(int, ['7']) == [7]
import math
assert f(math.sqrt, [4]) == [2.0]
def fact(n): return 1 if n == 0 else n * f(fact, [n - 1])[0]
assert f(fact, [3]) == [6]
assert f(lambda x: x + 1, (n for n in [1, 2])) == [2, 3]
"""
    assert counts(judge(code, tests)) == ("passed", 7, 7)


def test_exception_in_a_passed_function_reaches_the_code(judge: Judge) -> None:
    code = "def f(g):\n    try: g(1)\n    except KeyError as e: return e.args[0]"
    tests = "def g(n): raise KeyError('k')\nassert f(g) == 'k'"
    assert judge(code, tests).verdict == "passed"


def test_what_cannot_cross_is_the_tests_fault(judge: Judge) -> None:
    tests = "class Node: pass\nassert f(Node()) is None"
    result = judge("def f(x): return None", tests)
    assert result.verdict == "harness_error"
    assert "Node" in result.detail


def test_keyword_and_default_arguments(judge: Judge) -> None:
    code = "def f(a, b=2, *c, d=4, **e): return [a, b, c, d, e]"
    assert judge(code, "assert f(1, d=5, z=6) == [1, 2, (), 5, {'z': 6}]").verdict == "passed"


STACK = """
class Empty(Exception): pass

class Stack:
    size_limit = 9
    def __init__(self, items=()): self.items = list(items)
    def push(self, x): self.items.append(x); return self
    def pop(self):
        if not self.items: raise Empty('empty')
        return self.items.pop()
    def __len__(self): return len(self.items)
    def __eq__(self, other): return self.items == other.items
    def __add__(self, n): return Stack([*self.items, n])
    def __iter__(self): return iter(self.items)
    def __getitem__(self, i): return self.items[i]
    def __contains__(self, x): return x in self.items
    def __str__(self): return f'Stack({self.items})'
    def __enter__(self): return self
    def __exit__(self, *error): self.items.clear()
    @property
    def top(self): return self.items[-1]
    @classmethod
    def of(cls, *items): return cls(items)
"""


def test_class_as_entry_point(judge: Judge) -> None:
    tests = """
from stack import Stack, Empty
s = Stack([1])
s.push(2).push(3)
assert s.pop() == 3
assert len(s) == 2 and s.top == 2 and s[0] == 1 and 2 in s
assert list(s) == [1, 2] and str(s) == 'Stack([1, 2])'
assert s == Stack([1, 2]) and s != Stack() and s + 5 == Stack([1, 2, 5])
assert isinstance(s, Stack) and Stack.size_limit == 9
s.items = [7]
assert s.pop() == 7
try:
    s.pop()
    assert False
except Empty as e:
    assert str(e) == 'empty'
assert Stack.of(1, 2) == Stack([1, 2])
with Stack([1]) as t: pass
assert len(t) == 0
"""
    assert counts(judge(STACK, tests, "Stack")) == ("passed", 9, 9)


def test_arithmetic_of_objects(judge: Judge) -> None:
    code = """
class Clock:
    def __init__(self, h, m): self.t = (h * 60 + m) % 1440
    def __add__(self, m): return Clock(0, self.t + m)
    def __sub__(self, m): return Clock(0, self.t - m) if isinstance(m, int) else self.t - m.t
    def __rpow__(self, n): return float(n ** self.t)
    def __eq__(self, other): return self.t == other.t
    def __str__(self): return f'{self.t // 60:02}:{self.t % 60:02}'
"""
    tests = """
assert str(Clock(8, 0)) == '08:00'
assert str(Clock(8, 0) + 90) == '09:30'
assert Clock(8, 0) - 10 == Clock(7, 50)
assert Clock(8, 0) - Clock(7, 0) == 60
assert 2 ** Clock(0, 3) == 8.0
"""
    assert counts(judge(code, tests, "Clock")) == ("passed", 5, 5)


def test_capital_letter_of_a_function(judge: Judge) -> None:
    code = "import collections\ndef Split(s): return collections.deque(s)"
    tests = "assert Split('ab') != 1\nassert list(Split('ab')) == ['a', 'b']"
    assert counts(judge(code, tests, "Split")) == ("passed", 2, 2)


def test_coroutines(judge: Judge) -> None:
    code = (
        "import asyncio\nasync def f(x):\n    await asyncio.sleep(0)\n"
        "    if x < 0: raise ValueError(x)\n    return x + 1"
    )
    tests = """
import asyncio
assert asyncio.run(f(2)) == 3

async def main():
    assert await f(3) == 4
    assert await asyncio.gather(f(1), f(2)) == [2, 3]
    try:
        await f(-1)
        assert False
    except ValueError: pass

asyncio.run(main())
"""
    assert counts(judge(code, tests)) == ("passed", 2, 2)
    assert judge("async def f(x): return x", tests).verdict == "wrong_answer"


def test_method_of_a_class_as_entry_point(judge: Judge) -> None:
    code = "class Solution:\n    def twoSum(self, a, b): return a + b"
    tests = "assert Solution().twoSum(1, 2) == 3"
    assert judge(code, tests, "Solution.twoSum").verdict == "passed"
    assert judge(code, tests, "Solution.other").verdict == "no_entry_point"


def test_objects_of_the_code_as_arguments(judge: Judge) -> None:
    code = (
        "class Pair:\n    def __init__(s, a, b): s.a, s.b = a, b\n"
        "def f(ps): return sum(p.a for p in ps)"
    )
    assert judge(code, "assert f([Pair(1, 2), Pair(3, 4)]) == 4").verdict == "passed"


def test_class_tests_with_unittest(judge: Judge) -> None:
    tests = (
        "import unittest\nfrom stack import Stack, Empty\nclass T(unittest.TestCase):\n"
        "  def test_a(self): self.assertEqual(Stack([1]).pop(), 1)\n"
        "  def test_b(self):\n    with self.assertRaises(Empty): Stack().pop()\n"
        "  def test_c(self): self.assertEqual(Stack([1]), Stack([1]))\n"
        "  def test_d(self): self.assertNotEqual(Stack([1]), Stack([2]))\n"
    )
    assert counts(judge(STACK, tests, "Stack")) == ("passed", 4, 4)
