"""An API server on loopback that lets only the administrator in, with objects that a test chooses."""

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from labs.engine.hosts.pki import Authority, CertificateRequest

Item = dict[str, Any]


class ApiServer:
    """`objects` by path; bytes are sent as they are, and a path without objects is not found."""

    def __init__(self, credentials: Path) -> None:
        self.credentials = credentials
        self.objects: dict[str, list[Item] | bytes] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.socket = self._context().wrap_socket(self._server.socket, server_side=True)

    @property
    def port(self) -> int:
        return self._server.server_port

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _context(self) -> ssl.SSLContext:
        ca, folder = Authority("a CA"), self.credentials
        server = ca.issue(CertificateRequest(authority="ca", cn="api", addresses=["127.0.0.1"], usage=["server"]))
        admin = ca.issue(CertificateRequest(authority="ca", cn="admin", usage=["client"]))
        folder.mkdir(parents=True)
        (folder / "ca.pem").write_bytes(ca.pair.certificate)
        (folder / "admin.pem").write_bytes(admin.certificate)
        (folder / "admin-key.pem").write_bytes(admin.key)
        (folder / "server.pem").write_bytes(server.certificate + server.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem")
        context.load_verify_locations(folder / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        objects = self.objects

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                items = objects.get(self.path)
                self.send_response(404 if items is None else 200)
                self.end_headers()
                self.wfile.write(items if isinstance(items, bytes) else json.dumps({"items": items}).encode())

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


def node(name: str, status: str = "True") -> Item:
    """A node, or the probe pod of one, whose condition Ready has a status."""
    conditions = [{"type": "Other", "status": "True"}, {"type": "Ready", "status": status}]
    return {"metadata": {"name": name}, "spec": {"nodeName": name}, "status": {"conditions": conditions}}
