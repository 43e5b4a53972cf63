"""The system calls that hostile code may make, as two BPF programs.

The first is a list of what is allowed; the zygote is under it itself, and its children inherit it.
Everything that is not listed fails with EPERM: exec, socket, ptrace, mount, unshare, bpf, keyctl,
io_uring, memfd_create, chmod, link and whatever Linux adds later. The second is short, for each
child, and takes away what only the zygote needs: fork, kill, prctl. Threads stay allowed
(competitive programs start one to get a deeper stack); RLIMIT_NPROC caps them.
"""

from __future__ import annotations

import ctypes
import errno
import struct

from . import syscalls

# name:x86-64:aarch64, from asm/unistd_64.h and asm-generic/unistd.h; "-" where there is none.
_ALLOWED = """
read:0:63 write:1:64 readv:19:65 writev:20:66 pread64:17:67 pwrite64:18:68 preadv:295:69
pwritev:296:70 preadv2:327:286 pwritev2:328:287 sendfile:40:71 copy_file_range:326:285 open:2:-
openat:257:56 close:3:57 close_range:436:436 dup:32:23 dup2:33:- dup3:292:24 pipe:22:-
pipe2:293:59 lseek:8:62 stat:4:- fstat:5:80 lstat:6:- newfstatat:262:79 statx:332:291
statfs:137:43 fstatfs:138:44 access:21:- faccessat:269:48 faccessat2:439:439 readlink:89:-
readlinkat:267:78 getdents:78:- getdents64:217:61 getcwd:79:17 chdir:80:49 fchdir:81:50
umask:95:166 mkdir:83:- mkdirat:258:34 rmdir:84:- unlink:87:- unlinkat:263:35 rename:82:-
renameat:264:38 renameat2:316:276 ftruncate:77:46 fallocate:285:47 fadvise64:221:223 fsync:74:82
fdatasync:75:83 flock:73:32 poll:7:- ppoll:271:73 select:23:- pselect6:270:72 epoll_create:213:-
epoll_create1:291:20 epoll_ctl:233:21 epoll_wait:232:- epoll_pwait:281:22 epoll_pwait2:441:441
eventfd:284:- eventfd2:290:19 sendto:44:206 recvfrom:45:207 shutdown:48:210 getsockname:51:204
getpeername:52:205 getsockopt:55:209 mmap:9:222 mprotect:10:226 munmap:11:215 mremap:25:216
madvise:28:233 msync:26:227 mincore:27:232 brk:12:214 membarrier:324:283 rt_sigaction:13:134
rt_sigprocmask:14:135 rt_sigreturn:15:139 rt_sigpending:127:136 rt_sigtimedwait:128:137
rt_sigsuspend:130:133 sigaltstack:131:132 pause:34:- alarm:37:- getitimer:36:102
setitimer:38:103 nanosleep:35:101 clock_nanosleep:230:115 clock_gettime:228:113
clock_getres:229:114 gettimeofday:96:169 time:201:- times:100:153 getpid:39:172 getppid:110:173
gettid:186:178 getpgid:121:155 getpgrp:111:- getsid:124:156 getuid:102:174 geteuid:107:175
getgid:104:176 getegid:108:177 getresuid:118:148 getresgid:120:150 getgroups:115:158
getrlimit:97:163 setrlimit:160:164 getrusage:98:165 sysinfo:99:179 uname:63:160 getcpu:309:168
sched_yield:24:124 sched_getaffinity:204:123 sched_getparam:143:121 sched_getscheduler:145:120
futex:202:98 futex_waitv:449:449 set_robust_list:273:99 get_robust_list:274:100
set_tid_address:218:96 rseq:334:293 arch_prctl:158:- restart_syscall:219:128 exit:60:93
exit_group:231:94 wait4:61:260 waitid:247:95 getrandom:318:278
"""

# Allowed with some arguments only, and to some processes only.
_CONDITIONAL: dict[str, tuple[int, int | None]] = {
    "clone": (56, 220), "clone3": (435, 435), "fork": (57, None), "vfork": (58, None),
    "ioctl": (16, 29), "fcntl": (72, 25), "prctl": (157, 167), "socketpair": (53, 199),
    "prlimit64": (302, 261), "setsid": (112, 157), "kill": (62, 129),
    "pidfd_open": (434, 434), "recvmsg": (47, 212), "sendmsg": (46, 211),
}  # fmt: skip

_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}  # audit number, column
_X32_BIT = 0x40000000

# A thread and nothing more: CLONE_VM, CLONE_SIGHAND and CLONE_THREAD set, no new namespace.
_THREAD = 0x00000100 | 0x00000800 | 0x00010000
_NAMESPACES = 0x7E020080

# Terminal queries, FIONREAD, FIONBIO and close-on-exec; not FIOASYNC, FIOSETOWN or TIOCSTI.
_IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
# Duplicate, flags and locks; not F_SETOWN and F_SETSIG, which send signals to others.
_FCNTLS = (0, 1, 2, 3, 4, 5, 6, 7, 1030, 1032)
_PRCTLS = (15, 16)  # a thread's name
_ZYGOTE_PRCTLS = (*_PRCTLS, syscalls.PR_SET_PDEATHSIG, syscalls.PR_SET_SECCOMP)
_AF_UNIX = 1

# What a zygote does for its children: forked, handed files, given a session, ended.
_ZYGOTE_ALONE = ("fork", "vfork", "kill", "pidfd_open", "recvmsg", "sendmsg", "setsid")

_KILL, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_DENY = _ERRNO | errno.EPERM
_LOAD, _JUMP_EQUAL, _JUMP_GREATER_EQUAL, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_NUMBER, _ARCHITECTURE = 0, 4  # offsets in struct seccomp_data

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand


class Filter(ctypes.Structure):
    """A BPF program, as the kernel takes it."""

    _fields_ = [("length", ctypes.c_ushort), ("program", ctypes.c_char_p)]


def supported() -> bool:
    """Whether there is a table for this machine's architecture."""
    return syscalls.machine() in _ARCHITECTURES


def zygote_filter() -> Filter:
    """What allows a zygote what is listed and what it needs for its children, who inherit it."""
    column = _ARCHITECTURES[syscalls.machine()][1]
    program: list[Instruction] = []
    for entry in _ALLOWED.split():
        number = entry.split(":")[1 + column]
        if number != "-":
            program += [(_JUMP_EQUAL, 0, 1, int(number)), (_RETURN, 0, 0, _ALLOW)]
    for name in ("clone", "prlimit64", *_ZYGOTE_ALONE):
        program += _when(name, [(_RETURN, 0, 0, _ALLOW)])
    program += _when("clone3", [(_RETURN, 0, 0, _ERRNO | errno.ENOSYS)])  # then clone is used
    program += _when("ioctl", _argument_in(1, _IOCTLS))
    program += _when("fcntl", _argument_in(1, _FCNTLS))
    program += _when("prctl", _argument_in(0, _ZYGOTE_PRCTLS))
    program += _when("socketpair", _argument_in(0, (_AF_UNIX,)))
    return _filter([*program, (_RETURN, 0, 0, _DENY)])


def child_filter() -> Filter:
    """What takes away from a child of a zygote the rights that are not for hostile code."""
    program: list[Instruction] = []
    for name in _ZYGOTE_ALONE:
        program += _when(name, [(_RETURN, 0, 0, _DENY)])
    program += _when("clone", _only_threads())
    program += _when("prctl", _argument_in(0, _PRCTLS))
    program += _when("prlimit64", _argument_in(0, (0,)))  # its own limits, to read or to lower
    return _filter([*program, (_RETURN, 0, 0, _ALLOW)])


def install(rules: Filter) -> None:
    """Put this process under a filter, for good. Needs no_new_privs; raises OSError."""
    syscalls.prctl_pointer(syscalls.PR_SET_SECCOMP, 2, rules)


def _filter(rules: list[Instruction]) -> Filter:
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, _ARCHITECTURES[syscalls.machine()][0]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_GREATER_EQUAL, 0, 1, _X32_BIT),
        (_RETURN, 0, 0, _DENY),
        *rules,
    ]
    packed = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    return Filter(length=len(program), program=packed)


def _when(name: str, block: list[Instruction]) -> list[Instruction]:
    """`block`, which ends in a return, for one system call; skipped for every other."""
    number = _CONDITIONAL[name][_ARCHITECTURES[syscalls.machine()][1]]
    if number is None:
        return []
    return [(_JUMP_EQUAL, 0, len(block), number), *block]


def _only_threads() -> list[Instruction]:
    return [
        (_LOAD, 0, 0, _argument(0)),
        (_AND, 0, 0, _THREAD | _NAMESPACES),
        (_JUMP_EQUAL, 0, 1, _THREAD),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _DENY),
    ]


def _argument_in(index: int, values: tuple[int, ...]) -> list[Instruction]:
    block: list[Instruction] = [(_LOAD, 0, 0, _argument(index))]
    for value in values:
        block += [(_JUMP_EQUAL, 0, 1, value), (_RETURN, 0, 0, _ALLOW)]
    return [*block, (_RETURN, 0, 0, _DENY)]


def _argument(index: int) -> int:
    """Offset of an argument's low 32 bits; all that is compared here are C ints."""
    return 16 + 8 * index
