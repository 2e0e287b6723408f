"""
The web server's door: a thread gets a request when its whole body is there, however slowly it came.

granian: as a WSGI server it gives a thread to each request whose head has come, and waits for the body without a
time-out. A handful of clients that send a byte a second would keep every thread for as long as they like.
"""

import asyncio
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes

from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]

# More than any page or webhook takes; what is longer is never held in memory.
MOST_BYTES = 8 * 1024 * 1024
BODY_WITHIN_S = 30.0

Headers = list[tuple[str, str]]
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Front:
    """
    A WSGI application as granian's own interface (RSGI) runs it.

    Shape:  bodies are awaited in one thread, all at once; the application runs in the others, `threads` of them.
    """

    def __init__(self, application: Application, threads: int, body_within_s: float = BODY_WITHIN_S) -> None:
        self._application = application
        self._body_within_s = body_within_s
        self._threads = ThreadPoolExecutor(threads, "web")

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        headers = [(name.lower(), value) for name, value in scope.headers.items()]
        told = next((int(value) for name, value in headers if name == "content-length" and value.isdecimal()), 0)
        body = b""
        # What says that it is too long is not read: the application refuses it by its length.
        if told <= MOST_BYTES and scope.method not in ("GET", "HEAD"):
            try:
                body = await asyncio.wait_for(_whole(protocol), self._body_within_s)
            except TimeoutError:
                protocol.response_str(408, [("content-type", "text/plain"), ("connection", "close")], "Too slow.")
                return
            if len(body) > MOST_BYTES:
                protocol.response_str(413, [("content-type", "text/plain"), ("connection", "close")], "Too long.")
                return
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._threads, self._answer, _environ(scope, headers, body), protocol, loop)

    def _answer(self, environ: dict[str, Any], protocol: Any, loop: asyncio.AbstractEventLoop) -> None:
        started: list[Any] = []
        parts = self._application(environ, lambda status, headers, _=None: started.extend((status, headers)))
        try:
            waiting = iter(parts)
            first = next(waiting, b"")
            code, headers = int(started[0].split(" ", 1)[0]), _lower(started[1])
            if any(name == "content-length" for name, _ in headers):
                protocol.response_bytes(code, headers, b"".join([first, *waiting]))
                return
            stream = protocol.response_stream(code, headers)
            for part in (first, *waiting):
                # Waits for the client to take it.
                asyncio.run_coroutine_threadsafe(_sent(stream, part), loop).result()
        except ProtocolClosed:
            # The client went away, and nobody waits for the rest.
            pass
        finally:
            if close := getattr(parts, "close", None):
                close()


class ByPath:
    """Two WSGI applications as one: the first for all that begins with the path, the other for the rest."""

    def __init__(self, path: str, first: Application, other: Application) -> None:
        self._path = path
        self._first = first
        self._other = other

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        application = self._first if environ["PATH_INFO"].startswith(self._path) else self._other
        return application(environ, start_response)


async def _sent(stream: Any, part: bytes) -> None:
    await stream.send_bytes(part)


async def _whole(protocol: Any) -> bytes:
    """The body, or a little more than the most of it."""
    parts: list[bytes] = []
    length = 0
    async for part in protocol:
        parts.append(part)
        length += len(part)
        if length > MOST_BYTES:
            break
    return b"".join(parts)


def _lower(headers: Headers) -> Headers:
    return [(name.lower(), value) for name, value in headers]


def _environ(scope: Any, headers: Headers, body: bytes) -> dict[str, Any]:
    server, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        # WSGI: the path is decoded, and its bytes stand as Latin-1 characters.
        "PATH_INFO": unquote_to_bytes(scope.path).decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in headers:
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        between = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{between}{value}" if key in environ else value
    if body:
        environ["CONTENT_LENGTH"] = str(len(body))
    return environ
