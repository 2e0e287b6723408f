"""Servers that answer on the wire what no web server would."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that reads the head of one request, and then does as told with the connection."""
    ended = threading.Event()

    def serve() -> None:
        with suppress(OSError):
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                answer(connection)
                ended.wait(20)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        ended.set()
        server.close()
        thread.join()


def saying(*parts: bytes, pause_s: float = 0, shut: bool = False) -> Callable[[socket.socket], None]:
    """Sends these parts, with a pause after each, and shuts its side when told to."""

    def answer(connection: socket.socket) -> None:
        with suppress(OSError):
            for part in parts:
                connection.sendall(part)
                time.sleep(pause_s)
            if shut:
                connection.shutdown(socket.SHUT_WR)

    return answer
