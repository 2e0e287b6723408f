"""
An HTTP/1.1 server for the sandbox, quick enough to measure a client with, and able to break a connection.
"""

import socket
import struct
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from flask import Flask
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wsgi import get_input_stream

from sandbox.faults import ConnectionCut


class Handler(WSGIRequestHandler):
    """
    Serves one connection for as long as the client keeps it open.

    Werkzeug's own handler closes the connection after each answer and waits for stray bytes before it does. This one
    reads the whole body first, so that the next request begins where it should, and sends each answer without delay.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        body = get_input_stream(environ).read()
        environ["wsgi.input"] = BytesIO(body)
        environ["wsgi.input_terminated"] = True
        try:
            status, headers, content = _call(self.server.app, environ)
        except ConnectionCut:
            self._reset()
            return
        except Exception:
            # A mistake of the sandbox itself: answered as any server would, and printed for whoever runs it.
            traceback.print_exc()
            status, headers, content = "500 INTERNAL SERVER ERROR", [("Content-Length", "0")], b""
        if self.command == "HEAD":
            content = b""
        code, reason = status.split(" ", 1)
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def _reset(self) -> None:
        """
        Close the socket so that the client sees "connection reset by peer", as when a machine dies.
        """
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """
        Nothing: the sandbox keeps its own journal, and keys and e-mails belong into no log.
        """


class Server(ThreadedWSGIServer):
    """
    One thread per connection; closing the server also closes the connections that clients kept open.
    """

    daemon_threads = True

    def __init__(self, host: str, port: int, app: Flask) -> None:
        self._connections: set[socket.socket] = set()
        super().__init__(host, port, app, Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        self.close_request(request)

    def server_close(self) -> None:
        super().server_close()
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # Its own thread was quicker.


@contextmanager
def serve_in_thread(app: Flask, port: int = 0) -> Iterator[str]:
    """
    Serve an application in the background and give its base URL; port 0 means any free one.
    """
    server = Server("127.0.0.1", port, app)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()


def _call(app: Callable[..., Any], environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
    """
    The whole answer of a WSGI application.
    """
    started: list[Any] = []
    parts = app(environ, lambda status, headers, exc_info=None: started.extend((status, headers)))
    try:
        content = b"".join(parts)
    finally:
        if hasattr(parts, "close"):
            parts.close()
    return started[0], started[1], content
