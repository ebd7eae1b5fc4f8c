"""Answers as github.com on a port of loopback: CERTIFICATE KEY FOLDER PORT."""

import http.server
import os
import ssl
import sys

certificate, key, folder, port = sys.argv[1:]
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(certificate, key)
# What busybox's wget can: no TLS 1.3, and no list of signature algorithms, which OpenSSL accepts at level 0 alone.
tls.maximum_version = ssl.TLSVersion.TLSv1_2
tls.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = os.path.join(folder, self.path.lstrip("/"))
        if self.headers["Host"] != "github.com" or not os.path.isfile(path):
            return self.send_error(404)
        with open(path, "rb") as archive:
            body = archive.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    def finish_request(self, request, client_address):
        # In the connection's own thread: a client that says nothing must not hold up the others.
        request.settimeout(10)
        super().finish_request(tls.wrap_socket(request, server_side=True), client_address)

    def handle_error(self, request, client_address):
        print("error:", sys.exc_info()[1], file=sys.stderr, flush=True)


Server(("127.0.0.1", int(port)), Handler).serve_forever()
