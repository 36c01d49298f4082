"""Receives OTLP over HTTP with oteltest's sink, on a free port of the loopback interface.

Prints the port, then each request as one line of JSON. Ends with its standard input.
"""

import json
import logging
import os
import sys

import oteltest.sink as sink
from google.protobuf.json_format import MessageToDict


class Loopback(sink.HTTPServer):
    def __init__(self, address, handler):
        super().__init__(("127.0.0.1", address[1]), handler)
        print(self.server_port, flush=True)


class Print(sink.RequestHandler):
    def handle_trace(self, request, headers):
        print(json.dumps(MessageToDict(request)), flush=True)

    handle_logs = handle_metrics = handle_trace


sink.HTTPServer = Loopback
sink.HttpSink(Print(), logging.getLogger("receiver"), port=0).start()
sys.stdin.read()
os._exit(0)
