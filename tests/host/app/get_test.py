#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`impasto weights get` against a server on this machine that breaks off, lies, redirects, stands still
and sends other things than the file; and where the program looks for weights."""

import hashlib
import http.server
import os
import shutil
import socket
import threading
import unittest

from harness import LIGHT, SAMPLES, ProgramTest, weights


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves one file in the ways that the path names."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def handle(self):
        try:
            super().handle()
        except ConnectionError:
            pass  # the program may hang up

    def do_GET(self):
        server = self.server
        server.requests.append((self.path, self.headers.get("Range")))
        getattr(self, "serve_" + self.path.strip("/").split("/")[0])()

    def first_byte(self):
        wanted = self.headers.get("Range")
        return int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0

    def answer(self, code, content, **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", headers.get("length", len(content)))
        self.end_headers()
        self.wfile.write(content)

    def serve_whole(self):
        content = self.server.content
        first = self.first_byte()
        if first >= len(content) > 0:
            self.answer(416, b"")
        elif first:
            self.answer(206, content[first:],
                        Content_Range=f"bytes {first}-{len(content) - 1}/{len(content)}")
        else:
            self.answer(200, content)

    def serve_breaks(self):
        """Promises all that is left and closes after a third of the file."""
        content = self.server.content
        first = self.first_byte()
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", len(content) - first)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        self.wfile.write(content[first:first + len(content) // 3 + 1])
        self.close_connection = True

    def serve_forgets(self):
        """Breaks off once, and then begins at the beginning, whatever was asked for."""
        if len(self.server.requests) == 1:
            self.serve_breaks()
        else:
            self.answer(200, self.server.content)

    def serve_elsewhere(self):
        """Continues at another place than it was asked to."""
        if self.first_byte():
            self.answer(206, self.server.content[5:], Content_Range="bytes 5-10/11")
        else:
            self.serve_breaks()

    def serve_moved(self):
        self.answer(302, b"<html>moved</html>", Location="/whole")

    def serve_around(self):
        self.answer(302, b"", Location="/around")

    def serve_abroad(self):
        self.answer(302, b"", Location="http://192.0.2.1/file")

    def serve_local(self):
        self.answer(302, b"", Location="file:///etc/passwd")

    def serve_page(self):
        self.answer(200, b"<!doctype html><title>Sign in</title>", Content_Type="text/html")

    def serve_missing(self):
        self.answer(404, b"<html>not here</html>", Content_Type="text/html")

    def serve_busy(self):
        if len(self.server.requests) < 3:
            self.answer(503, b"")
        else:
            self.serve_whole()

    def serve_stands(self):
        self.send_response(200)
        self.send_header("Content-Length", 1000)
        self.end_headers()
        self.wfile.write(b"x" * 10)
        self.wfile.flush()
        self.server.released.wait(20)
        self.close_connection = True

    def serve_endless(self):
        self.send_response(200)
        self.end_headers()
        try:
            while not self.server.released.is_set():
                self.wfile.write(b"x" * 65536)
        except OSError:
            pass
        self.close_connection = True


class GetTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.content = bytes(range(256)) * 1000
        self.server.requests = []
        self.server.released = threading.Event()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.addCleanup(self.server.released.set)
        self.data = self.path("data")
        self.store = os.path.join(self.data, "impasto", "weights")

    def get(self, way, name="vgg16", *more):
        port = self.server.server_address[1]
        return self.run_program("weights", "get", name, "--url", f"http://127.0.0.1:{port}/{way}",
                                *more, env={"XDG_DATA_HOME": self.data})

    def refuse(self, code, way, *says, name="vgg16", more=()):
        result = self.get(way, name, *more)
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(result.stdout, "")
        for text in says:
            self.assertIn(text, result.stderr)
        self.assertEqual([file for file in os.listdir(self.store) if file != "downloads"], [])

    def partial(self):
        """What is kept of the downloads, by name."""
        folder = os.path.join(self.store, "downloads")
        if not os.path.isdir(folder):
            return {}
        return {name: os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder)}

    def test_other_bytes_are_deleted(self):
        """They came whole, by way of a redirection, and are not the published file."""
        found = hashlib.md5(self.server.content).hexdigest()
        self.refuse(4, "moved", "is not imagenet-vgg-verydeep-16.mat", f"found {found}")
        self.assertEqual(self.partial(), {})

    def test_broken_connections_continue(self):
        self.refuse(4, "breaks", hashlib.md5(self.server.content).hexdigest())
        ranges = [wanted for _, wanted in self.server.requests]
        third = len(self.server.content) // 3 + 1
        self.assertEqual(ranges, [None, f"bytes={third}-", f"bytes={2 * third}-"])

    def test_a_server_that_cannot_continue_begins_again(self):
        self.refuse(4, "forgets", hashlib.md5(self.server.content).hexdigest())
        self.assertEqual(len(self.server.requests), 2)

    def test_a_server_that_continues_elsewhere_is_refused(self):
        self.refuse(3, "elsewhere", "continues at another place")

    def test_a_busy_server_is_asked_again(self):
        self.refuse(4, "busy", hashlib.md5(self.server.content).hexdigest())
        self.assertEqual(len(self.server.requests), 3)

    def test_what_an_earlier_run_left(self):
        """is continued; where the hash is wrong then, the file is fetched anew, once."""
        os.makedirs(os.path.join(self.store, "downloads"))
        with open(os.path.join(self.store, "downloads", "imagenet-vgg-verydeep-16.mat"), "wb") as file:
            file.write(b"y" * 1000)
        self.refuse(4, "whole", hashlib.md5(self.server.content).hexdigest())
        self.assertEqual([wanted for _, wanted in self.server.requests], ["bytes=1000-", None])

    def test_a_complete_file_of_an_earlier_run_is_not_fetched_again(self):
        os.makedirs(os.path.join(self.store, "downloads"))
        path = os.path.join(self.store, "downloads", "vgg19-dcbb9e9d.pth")
        with open(path, "wb") as file:
            file.truncate(574_673_361)
        result = self.get("missing", "vgg19-torchvision")
        # Its hash is wrong, so it is fetched once more.
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertEqual([wanted for _, wanted in self.server.requests], [None])

    def test_a_size_that_is_not_the_published_one(self):
        self.refuse(3, "whole", "the server ends after 256000 of 63807084 bytes",
                    name="vgg16-shift-tolerant")
        self.assertEqual(self.partial(), {"stlpips_pytorch-0.0.2-py3-none-any.whl": 256000})

    def test_more_than_the_published_size(self):
        self.refuse(3, "endless", "the server sends more than 63807084 bytes",
                    name="vgg16-shift-tolerant")

    def test_pages_and_errors(self):
        self.refuse(3, "page", "a web page in place of the file")
        self.refuse(3, "missing", "the server answers 404")
        self.refuse(3, "around", "redirects")
        self.assertEqual(set(self.partial().values()), {0})

    def test_redirections_that_lead_away(self):
        self.refuse(3, "abroad", "to another one without HTTPS")
        self.refuse(3, "local", 'Protocol "file"')

    def test_a_server_that_stands_still(self):
        self.refuse(3, "stands", "cannot fetch", more=("--timeout", "1"))

    def test_nobody_listens(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        result = self.run_program("weights", "get", "vgg16", "--url", f"http://127.0.0.1:{port}/",
                                  env={"XDG_DATA_HOME": self.data})
        self.assertEqual(result.returncode, 3, result.stderr)

    def test_only_https(self):
        for url in ("http://example.com/f", "ftp://example.com/f", "file:///etc/passwd", "f",
                    "http://127.0.0.1.example.com/f"):
            self.fail_with(2, "weights", "get", "vgg16", "--url", url, says="https://",
                           env={"XDG_DATA_HOME": self.data})

    def test_a_python_package_is_for_pip(self):
        self.fail_with(2, "weights", "get", "vgg16-shift-tolerant", says="pip download --no-deps",
                       env={"XDG_DATA_HOME": self.data})

    def test_names(self):
        listed = self.succeed("weights", "get").stdout
        for name in ("vgg19", "vgg16", "vgg19-torchvision", "vgg16-shift-tolerant", "CC BY 4.0"):
            self.assertIn(name, listed)
        self.fail_with(2, "weights", "get", "vgg18", says=["no weights 'vgg18'", "vgg1"])
        self.fail_with(6, "weights", "get", "vgg19", says="/dev/null")
        self.fail_with(2, "weights", "get", "vgg19", says="XDG_DATA_HOME",
                       env={"XDG_DATA_HOME": "relative", "HOME": ""})


class StoreTest(ProgramTest):
    """--weights, IMPASTO_WEIGHTS, the store, the built-in network: in this order."""

    def test_order(self):
        store = os.path.join(self.path("data"), "impasto", "weights")
        os.makedirs(store)
        stored = os.path.join(store, "vgg16.h5")
        shutil.copy(weights(), stored)
        here = {"XDG_DATA_HOME": self.path("data")}
        dry_run = ("stylize", *SAMPLES, "-o", "out.png", "--size", "48", "--dry-run")
        self.assertIn(stored, self.succeed(*dry_run, env=here).stdout)
        shutil.copy(weights(), self.path("a.h5"))
        self.assertIn("a.h5", self.succeed(*dry_run, "--weights", "a.h5", env=here).stdout)
        self.assertIn("a.h5", self.succeed(*dry_run, env={**here, "IMPASTO_WEIGHTS": "a.h5"}).stdout)
        self.assertIn("built-in", self.succeed(*dry_run).stdout)
        # The first of the catalogue is preferred.
        preferred = os.path.join(store, "vgg19.h5")
        shutil.copy(weights(), preferred)
        self.assertIn(preferred, self.succeed(*dry_run, env=here).stdout)
        self.assertIn("here already", self.succeed("weights", "get", "vgg19", env=here).stderr)
        self.assertRegex(self.succeed("weights", "get", env=here).stdout, r"(?m)^vgg19 .* yes ")

    def test_the_built_in_network_says_so_once(self):
        arguments = ("stylize", *SAMPLES, "-o", "out.png", "--size", "48", "--iterations", "1", *LIGHT)
        said = self.succeed(*arguments).stderr
        self.assertEqual(said.count("random weights"), 1)
        self.assertIn("impasto weights get", said)
        self.assertNotIn("random weights", self.succeed(*arguments, "--quiet").stderr)
        self.assertNotIn("random weights", self.succeed(*arguments, "--weights", weights()).stderr)


if __name__ == "__main__":
    unittest.main()
