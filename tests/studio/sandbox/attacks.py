"""Hostile programs, one attack each. `f` answers 3, which is right, only where the attack worked.

`{outside}`, `{home}` and `{parent}` stand for a file outside, a file in the home directory and the
process that runs the sandbox; `{attempt}` for the place where an attack is tried.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

TESTS = "assert f(2) == 3"
CLUE = "swordfish_of_the_tests"  # in a test source, and reversed in the code that looks for it
ANY_FAILURE = frozenset(
    ("wrong_answer", "runtime_error", "crash", "timeout", "memory", "output_limit")
)


@dataclass(frozen=True)
class Attack:
    """Code that must not pass. `verdicts` are the acceptable ones."""

    name: str
    code: str
    verdicts: frozenset[str] = ANY_FAILURE
    tests: str = TESTS
    entry_point: str = "f"
    timeout: float = 5.0


def _reaches(name: str, attempt: str, setup: str = "") -> Attack:
    """An attack that counts as successful when `attempt` is reached without an exception."""
    body = "\n".join("        " + line for line in attempt.strip().splitlines())
    code = f"{setup}\ndef f(x):\n    try:\n{body}\n    except BaseException:\n        return 0\n"
    return Attack(name, code + "    return 3\n", frozenset({"wrong_answer"}))


def _ends(name: str, code: str, *verdicts: str, **more: object) -> Attack:
    return Attack(name, code, frozenset(verdicts), **more)  # type: ignore[arg-type]


def _searches(name: str, collect: str) -> Attack:
    """`collect` fills `texts`; the attack worked when the tests' source is in one of them."""
    attempt = f"""
texts, clue = [], ''.join(reversed('{CLUE[::-1]}'))
{collect.strip()}
assert any(clue in text and text != clue for text in texts)
    """
    attack = _reaches(name, attempt, "import ctypes, gc, sys")
    return replace(attack, tests=f"{CLUE} = 1\n{TESTS}")


def _lies(
    name: str, tests: str, methods: str, base: str = "object", answer: str = "True"
) -> Attack:
    """`f` returns an object whose `methods` all give the one answer that a test hopes for."""
    lines = [f"  def {method}(s, *others): return {answer}" for method in methods.split()]
    code = "\n".join([f"class N({base}):", *lines, "def f(x): return N()"])
    return Attack(name, code, frozenset({"wrong_answer"}), tests)


def _lies_as_class(name: str, tests: str, methods: str, own: str = "get") -> Attack:
    """The same for an item whose entry point is the class `Foo`; `own` returns the object."""
    lines = [f"  def {method}(s, *others): return 0.0" for method in methods.split()]
    code = "\n".join(["class Foo:", f"  def {own}(s, *others): return s", *lines])
    return Attack(name, code, frozenset({"wrong_answer"}), tests, entry_point="Foo")


_LIBC = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)"

ATTACKS = [
    # The network and other processes
    _reaches("internet socket", "socket.socket()", "import socket"),
    _reaches("udp socket", "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)", "import socket"),
    _reaches("unix socket", "socket.socket(socket.AF_UNIX)", "import socket"),
    _reaches("name lookup", "socket.gethostbyname('example.com')", "import socket"),
    _reaches("socket by libc", "assert libc.socket(2, 1, 0) >= 0", _LIBC),
    _reaches("fork", "if os.fork() == 0: os._exit(0)", "import os"),
    _reaches("fork bomb", "for _ in range(100): os.fork()", "import os"),
    _reaches("fork by libc", "assert libc.fork() >= 0", _LIBC),
    _reaches("vfork", "assert libc.syscall(58) >= 0", _LIBC),
    _reaches("exec", "os.execv('/bin/true', ['true'])", "import os"),
    _reaches("os.system", "assert os.system('exit 0') == 0", "import os"),
    _reaches("subprocess", "subprocess.run(['/bin/true'], check=True)", "import subprocess"),
    _reaches(
        "multiprocessing",
        "p = multiprocessing.Process(target=print)\np.start()\np.join()",
        "import multiprocessing",
    ),
    _reaches("posix_spawn", "os.posix_spawn('/bin/true', ['true'], {{}})", "import os"),
    _reaches("kill the parent", "os.kill(os.getppid() or {parent}, 9)", "import os"),
    _reaches("kill the owner", "os.kill({parent}, 15)", "import os"),
    _reaches("kill everything", "os.kill(-1, 15)", "import os"),
    _reaches("signal by descriptor", "fcntl.fcntl(0, fcntl.F_SETOWN, {parent})", "import fcntl"),
    _reaches("ptrace", "assert libc.ptrace(16, {parent}, 0, 0) == 0", _LIBC),
    _reaches(
        "read memory of another",
        "assert libc.process_vm_readv({parent}, 0, 0, 0, 0, 0) >= 0",
        _LIBC,
    ),
    _reaches("proc mem", "open('/proc/%d/mem' % (os.getppid() or 1), 'rb').read(1)", "import os"),
    _reaches("proc environ", "open('/proc/%d/environ' % (os.getppid() or 1)).read()", "import os"),
    _reaches("proc of the owner", "open('/proc/{parent}/environ').read()"),
    _reaches("own memory by proc", "open('/proc/self/mem', 'r+b')"),
    # Kernel interfaces, by number so that no library stands between (x86-64 numbers)
    _reaches("unshare", "assert libc.unshare(0x10000000) == 0", _LIBC),
    _reaches("mount", "assert libc.mount(b'none', b'/tmp', b'tmpfs', 0, None) == 0", _LIBC),
    _reaches(
        "io_uring", "assert libc.syscall(425, 1, ctypes.create_string_buffer(200)) >= 0", _LIBC
    ),
    _reaches(
        "bpf", "assert libc.syscall(321, 0, ctypes.create_string_buffer(200), 100) >= 0", _LIBC
    ),
    _reaches("keyctl", "assert libc.syscall(250, 0, -3, 0) >= 0", _LIBC),
    _reaches(
        "perf events",
        "assert libc.syscall(298, ctypes.create_string_buffer(200), 0, -1, -1, 0) >= 0",
        _LIBC,
    ),
    _reaches("userfaultfd", "assert libc.syscall(323, 0) >= 0", _LIBC),
    _reaches("memfd", "os.memfd_create('x')", "import os"),
    _reaches("change uid", "os.setuid(0)\nassert os.getuid() == 0 and False", "import os"),
    _reaches("chroot", "os.chroot('/tmp')", "import os"),
    _reaches("personality", "assert libc.personality(0x0040000) >= 0", _LIBC),
    _reaches(
        "raise a limit", "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))", "import resource"
    ),
    _reaches(
        "limits of another",
        "resource.prlimit({parent}, resource.RLIMIT_NOFILE, (10, 10))",
        "import resource",
    ),
    # Files
    _reaches("read outside", "open('{outside}').read()"),
    _reaches("read home", "open('{home}').read()"),
    _reaches("list home", "os.listdir(os.path.dirname('{home}'))", "import os"),
    _reaches("passwd", "open('/etc/passwd').read()"),
    _reaches("host root by proc", "open('/proc/1/root{outside}').read()"),
    _reaches("write outside", "open('{outside}', 'w').write('x')"),
    _reaches("write beside", "open('{outside}.new', 'w').write('x')"),
    _reaches("write to the library", "open(os.__file__, 'a')", "import os"),
    _reaches("write to the root", "open('/x', 'w')"),
    _reaches("remove outside", "os.remove('{outside}')", "import os"),
    _reaches("rename outside", "os.rename('{outside}', '{outside}.old')", "import os"),
    _reaches("truncate outside", "os.truncate('{outside}', 0)", "import os"),
    _reaches("chmod outside", "os.chmod('{outside}', 0o600)", "import os"),
    _reaches("symlink", "os.symlink('{outside}', '/tmp/l')\nopen('/tmp/l').read()", "import os"),
    _reaches("hard link", "os.link('{outside}', '/tmp/l')\nopen('/tmp/l').read()", "import os"),
    _reaches("up and out", "open('/tmp/' + '../' * 9 + '{outside}').read()"),
    _reaches("device", "os.mknod('/tmp/sda', 0o60600, os.makedev(8, 0))", "import os"),
    _reaches("raw memory device", "open('/dev/mem', 'rb')"),
    _reaches("the sandbox's own source", "import studio.sandbox"),
    _reaches("big scratch", "for n in range(20): open('/tmp/%d' % n, 'wb').write(bytes(900_000))"),
    _reaches("many files", "for n in range(1000): open('/tmp/%d' % n, 'w').close()"),
    _reaches("environment", "assert any('SECRET' in k for k in os.environ)", "import os"),
    _reaches("host name", "assert os.uname().nodename != 'sandbox' and False", "import os"),
    # Using everything up
    _reaches("many descriptors", "h = [open('/dev/null') for _ in range(500)]"),
    _reaches(
        "many threads",
        "for _ in range(200): threading.Thread(target=time.sleep, args=(9,), daemon=True).start()",
        "import threading, time",
    ),
    _ends("huge allocation", "def f(x): return len(bytearray(10**11))", "memory"),
    _ends("growing list", "def f(x):\n  a = []\n  while True: a.append(bytes(10**6))", "memory"),
    _ends("allocation at import", "a = bytearray(10**11)", "memory"),
    _ends("infinite loop", "def f(x):\n  while True: pass", "timeout", timeout=0.5),
    _ends("infinite loop at import", "while True: pass", "timeout", timeout=0.5),
    _ends("sleep", "import time\ndef f(x): time.sleep(99); return 3", "timeout", timeout=0.5),
    _ends("infinite recursion", "def f(x): return f(x)", "runtime_error"),
    _ends(
        "recursion without a limit",
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(x): return f(x)",
        *("memory", "crash", "runtime_error", "timeout"),
        timeout=2.0,
    ),
    _ends("infinite print", "def f(x):\n  while True: print('x' * 999)", "output_limit"),
    _ends("big file", "def f(x): open('/tmp/a', 'wb').write(bytes(10**7)); return 3", *ANY_FAILURE),
    _ends(
        "ignored timeout signals",
        "import signal\nfor s in range(1, 65):\n  try: signal.signal(s, signal.SIG_IGN)\n"
        "  except (OSError, ValueError): pass\ndef f(x):\n  while True: pass",
        *("timeout",),
        timeout=0.5,
    ),
    _ends(
        "threads that stay",
        "import threading\ndef spin():\n  while True: pass\n"
        "threading.Thread(target=spin).start()\ndef f(x): return 0",
        "wrong_answer",
    ),
    # Ways to end
    _ends("sys.exit at import", "import sys\nsys.exit(0)", "runtime_error"),
    _ends("sys.exit in the call", "import sys\ndef f(x): sys.exit(0)", "runtime_error"),
    _ends("os._exit at import", "import os\nos._exit(0)", "runtime_error"),
    _ends("os._exit in the call", "import os\ndef f(x): os._exit(0)", "runtime_error"),
    _ends(
        "exit handler",
        "import atexit, os\natexit.register(os._exit, 0)\ndef f(x): return 0",
        "wrong_answer",
    ),
    _ends("segfault", "import ctypes\ndef f(x): return ctypes.string_at(0)", "crash"),
    _ends("abort", "import os\ndef f(x): os.abort()", "crash"),
    _ends("interrupt", "def f(x): raise KeyboardInterrupt", "runtime_error"),
    _ends("generator exit", "def f(x): raise GeneratorExit", "runtime_error"),
    _ends("its own failure to assert", "def f(x): raise AssertionError('passed')", "runtime_error"),
    _ends(
        "an end that a test swallows",
        "import os\ndef f(x): os._exit(0)",
        "runtime_error",
        tests="try:\n    f(2)\n    assert False\nexcept:\n    pass",
    ),
    _ends(
        "printed verdict",
        "print('PASSED\\n1 passed')\ndef f(x):\n  print('passed'); return 0",
        "wrong_answer",
    ),
    # Values that lie
    _lies("equal to everything", TESTS, "__eq__"),
    _lies("unequal to nothing", "assert not f(2) != 3", "__ne__", answer="False"),
    _lies("an int that lies", TESTS, "__eq__", base="int"),
    _lies("a str that lies", "assert f(2).startswith('a')", "__eq__ startswith", base="str"),
    _lies("a list that lies", "assert 3 in f(2)", "__eq__ __contains__", base="list"),
    _lies("a dict that lies", "assert f(2)['a'] == 3", "__eq__ __getitem__", base="dict"),
    _lies("arithmetic that lies", "assert abs(f(2) - 3.5) < 1e-6", "__sub__ __abs__", answer="0.0"),
    _lies("a method that lies", "assert f(2).startswith('abc')", "startswith"),
    _lies("order that lies", "assert 2 < f(2) < 4", "__lt__ __gt__ __le__ __ge__"),
    _lies("container that lies", "assert 'abc' in f(2)", "__contains__ __getitem__"),
    _lies(
        "number that lies", "import math\nassert math.isclose(f(2), 3)", "__float__", answer="3.0"
    ),
    _lies("index that lies", "assert [0, 1, 2, 5][f(2)] == 5", "__index__", answer="3"),
    _lies("hash that lies", "assert f(2) in {{3}}", "__eq__ __hash__", answer="3"),
    _ends(
        "class that lies",
        "class N: __class__ = int\ndef f(x): return N()",
        "wrong_answer",
        tests="assert isinstance(f(2), int)",
    ),
    _ends(
        "name that lies",
        "class N: pass\nN.__name__ = '3'\ndef f(x): return N()",
        "wrong_answer",
        tests="assert str(f(2)) == '3'",
    ),
    _ends("returned generator", "def f(x): yield 3", "wrong_answer", tests="assert f(2) == [3]"),
    _ends(
        "endless generator",
        "import itertools\ndef f(x): return itertools.count()",
        *("timeout", "memory", "wrong_answer"),
        tests="assert list(f(2)) == [3]",
        timeout=1.0,
    ),
    _ends(
        "deep value",
        "def f(x):\n  a = []\n  for _ in range(10**5): a = [a]\n  return a",
        "wrong_answer",
    ),
    _ends(
        "value that holds itself", "def f(x):\n  a = []\n  a.append(a)\n  return a", "wrong_answer"
    ),
    _ends("huge value", "def f(x): return 'x' * (3 * 10**8)", "wrong_answer", "memory"),
    _ends("huge number", "def f(x): return 10**200_000", "wrong_answer"),
    _ends(
        "truth that ends the process",
        "class N:\n  def __bool__(s): raise SystemExit\ndef f(x): return N()",
        *("wrong_answer", "runtime_error"),
        tests="assert f(2)",
    ),
    _ends(
        "failure that lies",
        "class Gone(BaseException): pass\ndef f(x): raise Gone('end of the channel')",
        "runtime_error",
    ),
    _ends(
        "failure that cannot be shown",
        "class E(Exception):\n  def __str__(s): raise SystemExit\ndef f(x): raise E",
        "runtime_error",
    ),
    # The verdict's own machinery
    _ends(
        "patched builtins",
        "import builtins\nfor n in ('len', 'isinstance', 'AssertionError', 'any', 'all', 'type'):\n"
        "  setattr(builtins, n, lambda *a: True)\ndef f(x): return 0",
        *ANY_FAILURE,
    ),
    _ends(
        "patched operators",
        "import operator, unittest\noperator.eq = lambda a, b: True\n"
        "unittest.TestCase.assertEqual = lambda *a: None\ndef f(x): return 0",
        "wrong_answer",
    ),
    _ends(
        "patched json",
        "import json, sys\nfor m in list(sys.modules.values()):\n"
        "  if hasattr(m, 'dumps'): m.dumps = lambda *a, **k: '{{\"passed\": true}}'\n"
        "def f(x): return 0",
        *ANY_FAILURE,
    ),
    _searches(
        "frame walking",
        """
frame = sys._getframe(1)
while frame:
    texts += [repr(frame.f_locals), repr(frame.f_globals)]
    frame = frame.f_back
        """,
    ),
    _searches(
        "search by gc",
        """
for held in gc.get_objects():
    texts += [o for o in gc.get_referents(held) if type(o) is str]
        """,
    ),
    _searches(
        "search by gc and frames",
        """
for held in gc.get_objects():
    if isinstance(held, dict): texts += [v for v in list(held.values()) if type(v) is str]
    if hasattr(held, 'f_locals') and held is not sys._getframe(): texts += [repr(held.f_locals)]
        """,
    ),
    _searches(
        "search the memory",
        """
for line in open('/proc/self/maps'):
    low, high = (int(part, 16) for part in line.split()[0].split('-'))
    if line.split()[1].startswith('rw'):
        texts.append(ctypes.string_at(low, high - low).decode('latin-1'))
        """,
    ),
    _searches(
        "search the near memory",
        """
near = id(object()) & ~0xFFFFF
texts.append(ctypes.string_at(near, 1 << 20).decode('latin-1'))
        """,
    ),
    _ends(
        "closed descriptors", "import os\nos.closerange(0, 64)\ndef f(x): return 3", "runtime_error"
    ),
    _ends(
        "junk in descriptors",
        "import os\nfor n in range(3, 64):\n  try: os.write(n, b'passed\\n' * 99)\n"
        "  except OSError: pass\ndef f(x): return 0",
        "runtime_error",
    ),
    _ends(
        "forged report",
        "import os, json\nm = json.dumps({{'end': 'done', 'passed': True, 'cases': 1}}).encode()\n"
        "for n in range(3, 64):\n  try: os.write(n, len(m).to_bytes(4, 'big') + m)\n"
        "  except OSError: pass\ndef f(x): return 0",
        "runtime_error",
    ),
    _ends(
        "questions of its own",
        "import os, json\nfor op in ('eval', 'call', 'next', 'look_up', 'do getattr'):\n"
        "  question = {{'op': op, 'a': ['t', [['m', 0], ['T', 'type'], '__globals__']]}}\n"
        "  m = json.dumps(question).encode()\n"
        "  os.write(3, len(m).to_bytes(4, 'big') + m)\ndef f(x): return 0",
        "runtime_error",
    ),
    _ends(
        "reads the channel",
        "import os\ndef f(x):\n  return os.read(3, 99)",
        *("timeout", "runtime_error"),
        timeout=0.5,
    ),
    _ends(
        "callback that leads home",
        "def f(g):\n  return [n for n in dir(g) if 'global' in n or 'code' in n] or g.__globals__",
        "runtime_error",
        tests="assert f(lambda v: v)",
    ),
    _ends(
        "callback that runs a text",
        "def f(g): return g('3')",
        "harness_error",
        tests="assert f(eval) == 3",
    ),
    _ends(
        "borrowed from the library",
        "def g(x): pass",
        "no_entry_point",
        tests="from operator import *\nassert add(1, 2) == 3",
        entry_point="add",
    ),
    _ends(
        "name of a library function",
        "def isclose(*a): return True\ndef f(x): return 0",
        "wrong_answer",
        tests="from math import isclose\nassert isclose(f(2), 3)",
    ),
    _ends(
        "name of a missing library's function",
        "def allclose(*a): return True\ndef f(x): return 0",
        "harness_error",
        tests="import numpy as np\nassert np.allclose(f(2), 3)",
    ),
    _ends("no code at all", " \n", "no_code"),
    _ends("not Python", "def f(x) return 3", "syntax_error"),
    _ends("null byte", "def f(x): return 3\0", "syntax_error"),
    _ends("nested source", "(" * 5000 + ")" * 5000, "syntax_error", "memory"),
    # Items whose entry point is a class, where more is passed on
    _lies_as_class("object that lies", "assert abs(Foo().get() - 3.5) < 1e-6", "__sub__ __abs__"),
    _lies_as_class("object near everything", "assert abs(Foo() - 3.5) < 1e-6", "__sub__ __abs__"),
    _lies_as_class(
        "object that stays near", "assert abs(Foo() - 3.5) < 1e-6", "__abs__", "__sub__"
    ),
    _lies_as_class("a function as a class", "assert Foo() == 3\nassert 3 in Foo()", "__contains__"),
    _lies_as_class("object equal to data", "assert Foo().get() == 3", "__eq__"),
    _lies_as_class("object like a str", "assert Foo().get().startswith('abc')", "startswith"),
    _lies_as_class("object like a list", "assert 3 in Foo().get()", "__contains__ __getitem__"),
    _lies_as_class("object like a dict", "assert Foo().get()['a'] == 3", "__getitem__ __eq__"),
]
