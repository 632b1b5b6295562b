#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""talk.py CONTROL-SOCKET METHOD[=PARAMS]... - call methods of a keeper, one after another.

PARAMS is a JSON object.  Prints each answer as a line; fails when the keeper is gone before
it has answered.  An error is an answer.
"""

import json
import socket
import sys


def main():
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(sys.argv[1])
    lines = connection.makefile("rw", encoding="utf-8")
    for number, call in enumerate(sys.argv[2:]):
        method, _, params = call.partition("=")
        request = {"id": number, "method": method, "params": json.loads(params or "{}")}
        lines.write(json.dumps(request) + "\n")
        lines.flush()
        for line in lines:
            answer = json.loads(line)
            if answer.get("id") == number:  # else it is an event
                print(method, json.dumps(answer.get("result", answer.get("error"))))
                break
        else:
            sys.exit(f"talk: no answer to {method}")


main()
