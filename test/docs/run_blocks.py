"""Runs the Python blocks of one page, one after another in one scope, and calls each handler that they define.

Reads {"blocks": [code], "event": {...}} from standard input and writes what each block's handler returned, null for a
block without one. A block that fails ends it, with its traceback.
"""

import json
import sys


def main():
    given = json.load(sys.stdin)
    scope = {"__name__": "snippet"}
    answers = []
    for number, code in enumerate(given["blocks"]):
        before = scope.get("handler")
        exec(compile(code, f"block {number}", "exec"), scope)
        handler = scope.get("handler")
        answers.append(handler(given["event"], None) if handler is not before else None)
    json.dump(answers, sys.stdout)


main()
