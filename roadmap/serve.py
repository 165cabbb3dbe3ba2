"""A local server for authors: builds, serves, watches the sources and reloads the browser."""

from __future__ import annotations

import functools
import sys
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from roadmap import console, pipeline
from roadmap.diagnostics import BuildError, Diagnostic, render
from roadmap.publish.inputs import read_inputs

_POLL_SECONDS = 0.3
_RELOAD = b"""<script>
new EventSource("/.roadmap-events").onmessage = () => location.reload();
</script>"""


class Changes:
    """Counts builds that changed the site; a browser waits for the count to grow."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._count = 0

    @property
    def count(self) -> int:
        """How many builds have changed the site."""
        return self._count

    def announce(self) -> None:
        """Wake every browser."""
        with self._condition:
            self._count += 1
            self._condition.notify_all()

    def wait(self, seen: int, timeout: float) -> int:
        """The count, once it is past `seen` or `timeout` seconds have gone by."""
        with self._condition:
            self._condition.wait_for(lambda: self._count > seen, timeout)
            return self._count


class Handler(SimpleHTTPRequestHandler):
    """Files of the site, with the reloading script added to each page as it is sent."""

    protocol_version = "HTTP/1.1"

    def __init__(self, *args: object, changes: Changes, directory: str) -> None:
        self.changes = changes
        super().__init__(*args, directory=directory)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Answer with an event stream, a page, or a file."""
        if self.path == "/.roadmap-events":
            self._events()
            return
        path = Path(self.translate_path(self.path))
        if path.is_dir():
            path /= "index.html"
        if path.suffix == ".html" and path.is_file():
            self._page(path)
            return
        super().do_GET()

    def end_headers(self) -> None:
        """Never let the browser keep an old page."""
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's name)
        """Say nothing of requests that went well."""

    def _page(self, path: Path) -> None:
        body = path.read_bytes().replace(b"</body>", _RELOAD + b"</body>", 1)
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _events(self) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        seen = self.changes.count
        try:
            while True:
                count = self.changes.wait(seen, timeout=15)
                self.wfile.write(b"data: changed\n\n" if count > seen else b": still here\n\n")
                self.wfile.flush()
                seen = count
        except (BrokenPipeError, ConnectionResetError):
            return


def serve(options: pipeline.Options, port: int) -> None:
    """Serve until interrupted. `port` 0 picks a free one; the site is for this machine alone.

    Raises BuildError when there is no book, or when the port cannot be had.
    """
    pipeline.loaded(options)
    changes = Changes()
    with make_server(options, port, changes) as server:
        rebuild(options)
        print(f"http://127.0.0.1:{server.server_address[1]}/  (Ctrl-C stops)", flush=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            watch(options, changes)
        except KeyboardInterrupt:
            print()
        finally:
            server.shutdown()


def make_server(options: pipeline.Options, port: int, changes: Changes) -> ThreadingHTTPServer:
    """A server of the site on this machine's own address. Raises BuildError."""
    handler = functools.partial(Handler, changes=changes, directory=str(options.out))
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        message = f"Port {port} cannot be used: {error.strerror}."
        hint = "Choose another with --port, or stop the program that has it."
        raise BuildError(Diagnostic("port-unusable", message, hint=hint)) from error
    server.daemon_threads = True
    return server


def watch(options: pipeline.Options, changes: Changes, stop: threading.Event | None = None) -> None:
    """Rebuild whenever a source changes, and announce each change of the site."""
    stop = stop or threading.Event()
    seen = read_inputs(options.book)
    while not stop.wait(_POLL_SECONDS):
        now = read_inputs(options.book)
        if now == seen:
            continue
        seen = now
        if rebuild(options):
            changes.announce()


def rebuild(options: pipeline.Options) -> bool:
    """Build once and say how it went; whether the site is new."""
    with console.progress() as observe:
        report = pipeline.build(options, observe)
    if report.diagnostics:
        print(render(report.diagnostics, "text", options.book.parent), file=sys.stderr)
    print(f"{time.strftime('%H:%M:%S')} {console.summary(report, options)}", file=sys.stderr)
    return report.published is not None
