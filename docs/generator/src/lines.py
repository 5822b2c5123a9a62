"""Runs a program in docs/python, and records where its threads are.

Run: python3 docs/generator/src/lines.py FOLDER PROGRAM [ARGUMENTS]

The output, the error messages and the exit status are those of the program.
Each thread has a file in the folder, and its name is the kernel's number of the
thread. A line of the file has a time, and the calls from the outermost one:

  1700000000.123456 docs/python/thread_pool.py:93 docs/python/thread_pool.py:102

The thread is there until the time of the next line. Only code in docs/python
counts. A time without calls means that the thread runs other code.
"""

import os
import sys
import threading
import time
import types

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../../.."))

# For each file, its path in the project, or None if it is not in docs/python.
names = {}

# The file of each thread. Python closes it when the thread ends.
output = threading.local()


def name_of(frame):
    path = frame.f_code.co_filename
    if path not in names:
        name = os.path.relpath(os.path.realpath(path), TOP)
        names[path] = name if name.startswith("docs/python/") else None
    return names[path]


def record(frame):
    calls = []
    while frame is not None:
        if name_of(frame) is not None:
            calls.insert(0, f" {name_of(frame)}:{frame.f_lineno}")
        frame = frame.f_back
    if not hasattr(output, "file"):
        path = os.path.join(folder, str(threading.get_native_id()))
        # Without a buffer, no line is lost when the process is killed.
        output.file = open(path, "ab", buffering=0)
    output.file.write(f"{time.time():.6f}{''.join(calls)}\n".encode())


def trace(frame, event, _):
    if name_of(frame) is None:
        return None
    if event == "return":
        # The caller continues in the middle of a line.
        record(frame.f_back)
    elif event != "call" or frame.f_lineno > frame.f_code.co_firstlineno:
        # A call that does not begin at the first line continues a coroutine.
        record(frame)
    return trace


def print_error(kind, error, traceback):
    # The first entry of the traceback is the call of `exec` below.
    error = error.with_traceback(traceback.tb_next)
    sys.__excepthook__(kind, error, error.__traceback__)


folder = os.path.abspath(sys.argv[1])
del sys.argv[:2]
sys.path[0] = os.path.dirname(os.path.realpath(sys.argv[0]))
program = sys.modules["__main__"] = types.ModuleType("__main__")
program.__file__ = os.path.join(os.getcwd(), sys.argv[0])
with open(program.__file__, "rb") as source:
    code = compile(source.read(), program.__file__, "exec")
sys.excepthook = print_error
threading.settrace(trace)
sys.settrace(trace)
exec(code, program.__dict__)
