"""A small web server on this machine's loopback that takes down what is posted to it; lesson 09 sends alerts there."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

__all__ = ["Listener"]


class Listener:
    """Listens on a free port of 127.0.0.1 from the moment it is made until `close`.

    Attributes:
        host: name and port, such as "127.0.0.1:40123", as `logging.handlers.HTTPHandler` takes it.
        received: the forms that were posted, in order, each as a dict of texts.
    """

    def __init__(self):
        self.received: list[dict[str, str]] = []
        received = self.received

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                received.append({name: values[-1] for name, values in parse_qs(body).items()})
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                """Keep quiet: the server's own log would land in the notebook."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening; what was received stays."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
