"""Frames between the evaluator and the server of a recipe: the trusted side.

A frame is a 4-byte little-endian length, that many bytes of a JSON object (the header), then `header["bytes"]` bytes
of payload (0 when the field is absent). The evaluator asks, the server answers each request once, in order:

    {"type": "hello", "protocol": 1, "max_context": C, "max_count": N}
        -> {"type": "hello", "protocol": 1, "vocab": 256, "adapt": false}
    {"type": "score", "id": I, "context": c, "count": n, "bytes": c + n} + c + n uint8 tokens
        -> {"type": "scores", "id": I, "count": n, "vocab": 256, "bytes": n * 256 * 4} + float32 little-endian logits,
           one row for each of the last n tokens; the row of a token may depend only on the tokens before it
    {"type": "adapt", "id": I, "bytes": n} + n uint8 tokens        only to a server whose hello said "adapt": true,
        -> {"type": "adapted", "id": I}                             and only after the scores of these tokens came back
    {"type": "bye"}
        -> {"type": "bye"}, then the server closes its output

Requests stand alone: apart from `adapt`, nothing may be remembered from one to the next, and they come in any order,
also more than once with another ending. That is how look-ahead shows: rows up to and including the first token that
differs must not change, here and between twin servers.
"""
import json
import os
import select
import time

import numpy as np

PROTOCOL = 1
VOCAB = 256
MAX_HEADER = 4096


class Fault(Exception):
    """The recipe's server did wrong; `kind` is protocol, invalid, late or twins_disagree."""

    def __init__(self, kind, reason):
        super().__init__(reason)
        self.kind = kind


class Channel:
    """Frames over two descriptors, with a deadline for every exchange. Nothing the server says sizes a buffer."""

    def __init__(self, to_server, from_server):
        self._to, self._from = to_server, from_server
        os.set_blocking(to_server, False)
        os.set_blocking(from_server, False)

    def _wait(self, readable, writable, deadline, doing):
        left = deadline - time.monotonic()
        if left <= 0 or not any(select.select(readable, writable, [], left)):
            raise Fault('late', f'no answer in time {doing}')

    def _write(self, content, deadline, doing):
        view = memoryview(content)
        while view:
            self._wait([], [self._to], deadline, doing)
            try:
                view = view[os.write(self._to, view[:65536]):]
            except BlockingIOError:
                continue
            except OSError:
                raise Fault('protocol', f'the server closed its input {doing}') from None

    def _read(self, size, deadline, doing):
        content = bytearray()
        while len(content) < size:
            self._wait([self._from], [], deadline, f'{doing}, {size - len(content)} bytes of it missing')
            try:
                part = os.read(self._from, min(size - len(content), 1 << 20))
            except BlockingIOError:
                continue
            except OSError:  # a socket whose peer died says so by an error, a pipe by its end
                part = b''
            if not part:
                raise Fault('protocol', f'the server ended {doing}, {size - len(content)} bytes short')
            content += part
        return bytes(content)

    def ask(self, header, payload, expected, payload_bytes, seconds):
        """Sends a request and returns the answer's (header, payload).

        The answer must hold every field of `expected` with that value and exactly `payload_bytes` of payload.
        """
        doing = f'after {header["type"]} {header.get("id", "")}'.rstrip()
        deadline = time.monotonic() + seconds
        text = json.dumps(header).encode()
        self._write(len(text).to_bytes(4, 'little') + text + payload, deadline, doing)
        size = int.from_bytes(self._read(4, deadline, doing), 'little')
        if not 2 <= size <= MAX_HEADER:
            raise Fault('protocol', f'a header of {size} bytes {doing}; 2 to {MAX_HEADER} are allowed')
        answer = parsed(self._read(size, deadline, doing), doing)
        if answer.get('type') == 'error':
            raise Fault('protocol', f'the server reported {str(answer.get("reason"))[:300]!r} {doing}')
        for field, value in {**expected, 'bytes': payload_bytes}.items():
            found = answer.get(field, 0 if field == 'bytes' else None)
            if type(found) is not type(value) or found != value:
                raise Fault('protocol', f'{field} is {str(found)[:80]} {doing}, expected {value}')
        return answer, self._read(payload_bytes, deadline, doing)

    def end(self, seconds):
        """Refuses bytes that no request asked for; a server that just stays open is left to the harness."""
        try:
            self._wait([self._from], [], time.monotonic() + seconds, 'after bye')
            more = os.read(self._from, 1)
        except (Fault, OSError):
            return
        if more:
            raise Fault('protocol', 'the server sent bytes that nobody asked for')


def parsed(text, doing):
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        raise Fault('protocol', f'a header that is not JSON {doing}') from None
    if not isinstance(header, dict):
        raise Fault('protocol', f'a header that is not a JSON object {doing}')
    return header


def log_probabilities(payload, count, doing):
    """Natural log-probabilities in float64, normalised here, [count, VOCAB]."""
    logits = np.frombuffer(payload, dtype='<f4').reshape(count, VOCAB).astype(np.float64)
    if not np.isfinite(logits).all():
        row = int(np.flatnonzero(~np.isfinite(logits).all(axis=1))[0])
        raise Fault('invalid', f'a logit that is not finite in row {row} {doing}')
    logits -= logits.max(axis=1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
