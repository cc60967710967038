"""Answers JSON lines on a Unix socket, for engines/launcher/worker-client.ts.

A request is {"id", "operation", ...parameters}; its answer {"id", "result"} or {"id", "error": {"type", "message"}}.
Requests of all connections are carried out one at a time.
"""

import json
import os
import signal
import socketserver
import threading
import traceback


def serve(socket_path, operations):
    """Serves until TERM. `operations` maps names to functions that take the parameters by keyword."""
    operations = {"ping": lambda: "pong", **operations}
    one_at_a_time = threading.Lock()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            for line in self.rfile:
                request = json.loads(line)
                with one_at_a_time:
                    answer = answer_to(operations, request)
                self.wfile.write(json.dumps(answer).encode() + b"\n")

    class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
        daemon_threads = True

    # Interpreters that shut down with pyarrow's or Spark's threads alive can abort; nothing is left to save.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    with Server(socket_path, Handler) as server:
        server.serve_forever()


def answer_to(operations, request):
    parameters = {name: value for name, value in request.items() if name not in ("id", "operation")}
    try:
        return {"id": request["id"], "result": operations[request["operation"]](**parameters)}
    except Exception as error:  # noqa: BLE001 - whatever it is, the one who asked is told
        traceback.print_exc()
        return {"id": request["id"], "error": {"type": type(error).__name__, "message": str(error)}}
