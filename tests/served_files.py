"""A web server in a thread of the test, whose connections can be cut and whose files can change."""

import contextlib
import hashlib
import http.server
import threading
from dataclasses import dataclass, field


@dataclass
class Served:
    """files: {path: bytes}; cut: how many bytes each of the next answers carries before its connection is cut; seen: the requests,
    as (path, Range or None); ranges: whether parts can be asked for; tags, lengths: whether versions and lengths are told."""

    url: str = ""
    files: dict = field(default_factory=dict)
    cut: list = field(default_factory=list)
    seen: list = field(default_factory=list)
    ranges: bool = True
    tags: bool = True
    chunked: bool = False
    status: dict = field(default_factory=dict)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        s = self.server.served
        asked = self.headers.get("Range")
        s.seen.append((self.path, asked))
        data = s.files.get(self.path.partition("?")[0])
        if data is None or self.path in s.status:
            self.send_error(s.status.get(self.path, 404))
            return
        tag, whole = f'"{hashlib.md5(data).hexdigest()}"', len(data)
        start = self._start(asked, tag) if s.ranges else 0
        if start and start >= whole:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{whole}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if s.tags:
            self.send_header("ETag", tag)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        self._send(s, data[start:])

    def _start(self, asked, tag):
        """Where the part asked for begins; 0 if the whole file is to be sent."""
        fits = asked and self.headers.get("If-Range") in (None, tag)
        return int(asked.removeprefix("bytes=").rstrip("-")) if fits else 0

    def _send(self, s, data):
        if s.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        sent = data[: s.cut.pop(0)] if s.cut else data
        with contextlib.suppress(ConnectionError):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(sent), sent) if s.chunked and sent else sent)
            if s.chunked and len(sent) == len(data):
                self.wfile.write(b"0\r\n\r\n")
        self.close_connection = self.close_connection or len(sent) < len(data)

    def log_message(self, *_):
        return


@contextlib.contextmanager
def serving(**files):
    """A Served whose server runs meanwhile; files: {name: bytes}."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.served = Served(f"http://127.0.0.1:{server.server_address[1]}", {f"/{name}": data for name, data in files.items()})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
