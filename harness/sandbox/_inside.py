# Runs inside the sandbox, as text given to `python -c`; imports nothing of Stackline.
# A request on stdin is {"program": ..., "calls": [...]} or {"program": ..., "stdin": ...}; answers leave on
# the real stdout as one JSON list. What a candidate prints is not an answer: its stdout goes to stderr.
import io
import json
import os
import sys


def plain(value, depth=0):
    """Only exact built-in types pass, so that no object can answer for itself."""
    kind = type(value)
    if depth > 50:
        return {"other": "nested too deep"}
    if value is None or kind in (bool, int, float, str):
        return value
    if kind is list:
        return [plain(x, depth + 1) for x in value]
    if kind is tuple:
        return {"tuple": [plain(x, depth + 1) for x in value]}
    if kind in (set, frozenset):
        return {"set": sorted((plain(x, depth + 1) for x in value), key=json.dumps)}
    if kind is dict:
        return {"dict": sorted(([plain(k, depth + 1), plain(v, depth + 1)] for k, v in value.items()), key=json.dumps)}
    return {"other": kind.__name__}


def leave(error):
    """End with an exit code that tells a memory limit from any other exception."""
    os.write(2, f"{type(error).__name__}: {error}"[:500].encode("utf-8", "replace"))
    os._exit(86 if isinstance(error, MemoryError) else 1)


def main():
    request = json.load(sys.stdin)
    calls = request.get("calls")
    answers_to = os.dup(1)
    if calls is not None:
        os.dup2(2, 1)
    sys.stdin = io.StringIO(request.get("stdin", ""))
    namespace = {"__name__": "candidate" if calls is not None else "__main__"}
    try:
        exec(compile(request["program"], "<candidate>", "exec"), namespace)
        answers = [plain(eval(call, namespace)) for call in calls or ()]
        text = json.dumps(answers)
    except SystemExit as error:
        if calls is not None or error.code not in (None, 0):
            leave(error)  # leaving before the tests is a failure, whatever the code
    except BaseException as error:
        leave(error)
    sys.stdout.flush()
    sys.stderr.flush()
    if calls is not None:
        data = text.encode()
        while data:
            data = data[os.write(answers_to, data) :]
    os._exit(0)


main()
