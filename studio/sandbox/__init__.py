"""Run hostile, model-written Python against tests; one verdict an item.

What it covers (one attack a test, in tests/studio/sandbox/attacks.py):

- **The verdict.** The tests run in another process than the code, and call it through a channel
  that carries plain data only. The code's process, and the one that forks it, never hold a test,
  an expected value, a secret or another answer. So objects that are equal to everything, walks
  over frames, gc and memory, patched builtins, exit codes, exit handlers, printed markers, junk in
  descriptors and forged messages do not reach it. The entry point is declared, never inferred.
- **The machine.** No network, no other process (fork, exec, signals, ptrace), no file but Python's
  library and, in tier A, an empty directory of 8 MB. No environment. No kernel interface beyond a
  short list of system calls. One deadline an item; memory, processor time, threads, descriptors
  and output are limited.
- **The owner.** kill -9 or Ctrl-C of the program that runs this leaves no process behind.
- **The tests** come from data sets and are held by the same walls.

Tiers, chosen by trying to get out (`probe`), never by a version number:

- A: user, pid, mount, network, ipc and uts namespaces, a root of its own, Landlock, seccomp, no
  capability, resource limits; an unprivileged uid where root started it.
- B: where there are no namespaces: the same without them and without any writable directory.
- C: anything else: refused, with the probe that failed and the remedy.
- `unsandboxed=True`: limits of time and memory only, on request, stamped on every result.

What it does not cover:

- A hole in the Linux kernel behind the allowed system calls, or in the processor (side channels).
- How much of the machine is used within the limits: a lane can be kept busy until its deadlines.
- Tests that ask the code to judge itself: a helper that only the code defines (its name is then
  borrowed from the code), or an operator between two objects of the code. Tests that bring their
  own helpers are not open to this.
- Tier B: names, sizes and times of files outside can be seen (not their content); a user's threads
  elsewhere count against the limit of threads.
- Packages that are not in the standard library: the code cannot import them.
- Other systems than Linux on x86-64 and aarch64 (the table for the latter was compared with the
  kernel's headers, not run).
"""

from .errors import BadInput, SandboxError, SandboxUnavailable
from .policy import POLICY_VERSION, Case, Limits, Result, Task
from .probes import Probe, ProbeReport, probe
from .run import run_tasks
from .verdicts import VERDICTS

__all__ = [
    "POLICY_VERSION",
    "VERDICTS",
    "BadInput",
    "Case",
    "Limits",
    "Probe",
    "ProbeReport",
    "Result",
    "SandboxError",
    "SandboxUnavailable",
    "Task",
    "probe",
    "run_tasks",
]
