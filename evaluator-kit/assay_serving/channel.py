"""Frames over two descriptors, to and from a server that nobody trusts."""
import json
import os
import select
import time

MAX_HEADER = 4096  # bytes of a header that a server may send
PART_BYTES = 1 << 20  # written at once
JOINED_BYTES = 1 << 16  # a request up to this is written in one piece


class Fault(Exception):
    """The recipe's server did wrong; `kind` is protocol, invalid, late or twins_disagree."""

    def __init__(self, kind, reason):
        super().__init__(reason)
        self.kind = kind


class Channel:
    """A server by the descriptors to and from it, with a deadline for every exchange.

    Nothing the server says sizes a buffer: an answer is read into one that the caller made.
    """

    def __init__(self, to_server, from_server):
        self._to, self._from = to_server, from_server
        for descriptor in (to_server, from_server):
            os.set_blocking(descriptor, False)

    def ask(self, header, payload, expected, answer, seconds):
        """Sends a request, fills the buffer `answer` with the payload of what comes back and returns its header.

        The header must hold every field of `expected` with that value, and announce exactly the bytes of `answer`.
        """
        doing = f'after {header["type"]}'
        deadline = time.monotonic() + seconds
        text = json.dumps({**header, 'bytes': len(payload)}).encode()
        head = len(text).to_bytes(4, 'little') + text
        if len(payload) <= JOINED_BYTES:
            self._write(head + payload, deadline, doing)
        else:
            self._write(head, deadline, doing)
            self._write(payload, deadline, doing)
        size = int.from_bytes(self._read(bytearray(4), deadline, doing), 'little')
        if not 2 <= size <= MAX_HEADER:
            raise Fault('protocol', f'a header that is not of 2 to {MAX_HEADER} bytes {doing}')
        said = parsed(bytes(self._read(bytearray(size), deadline, doing)), doing)
        room = memoryview(answer).cast('B')
        for field, value in {**expected, 'bytes': len(room)}.items():
            found = said.get(field, 0 if field == 'bytes' else None)
            if type(found) is not type(value) or found != value:
                raise Fault('protocol', f'{field} is not {value} {doing}')
        self._read(room, deadline, doing)
        return said

    def end(self, seconds):
        """Refuses bytes that no request asked for; a server that just stays open is left to the harness."""
        try:
            self._wait([self._from], [], time.monotonic() + seconds, 'after bye')
            more = os.read(self._from, 1)
        except (Fault, OSError):
            return
        if more:
            raise Fault('protocol', 'the server sent bytes that nobody asked for')

    def _wait(self, readable, writable, deadline, doing):
        left = deadline - time.monotonic()
        if left <= 0 or not any(select.select(readable, writable, [], left)):
            raise Fault('late', f'no answer in time {doing}')

    def _write(self, content, deadline, doing):
        view = memoryview(content)
        while view:
            self._wait([], [self._to], deadline, doing)
            try:
                view = view[os.write(self._to, view[:PART_BYTES]):]
            except BlockingIOError:
                continue
            except OSError:
                raise Fault('protocol', f'the server closed its input {doing}') from None

    def _read(self, buffer, deadline, doing):
        """Fills the buffer and returns it."""
        view = memoryview(buffer)
        while view:
            self._wait([self._from], [], deadline, doing)
            try:
                size = os.readv(self._from, [view])
            except BlockingIOError:
                continue
            except OSError:  # a socket whose peer died says so by an error, a pipe by its end
                size = 0
            if size == 0:
                raise Fault('protocol', f'the server ended in the middle {doing}')
            view = view[size:]
        return buffer


def parsed(text, doing):
    """The header that a server sent; Fault where it is no JSON object.

    Only what every reader of JSON takes: the harness reads it as well, and times by it.
    """
    try:
        header = json.loads(str(text, 'utf-8'), parse_constant=refuse)
    except (ValueError, RecursionError):
        raise Fault('protocol', f'a header that is not JSON {doing}') from None
    if not isinstance(header, dict):
        raise Fault('protocol', f'a header that is not a JSON object {doing}')
    return header


def refuse(constant):
    raise ValueError(f'{constant} is no JSON')


def servers(twins):
    """The channels that the harness connected, in the order of their lives.

    `twins`: whether there must be two, as for everything that is scored by what was sent with the labels in it.
    """
    if twins and 'ASSAY_TWIN_IN_FD' not in os.environ:
        raise RuntimeError('there is no second server: phases.serve of task.yaml needs "twins: true"')
    names = ('SERVER', 'TWIN') if twins else ('SERVER',)
    return [Channel(int(os.environ[f'ASSAY_{name}_IN_FD']), int(os.environ[f'ASSAY_{name}_OUT_FD'])) for name in names]


def two(channels):
    """The channels, of which there have to be two: what one server claims is no score."""
    if len(channels) != 2:
        raise ValueError('scoring by claims takes two servers: servers(twins=True)')
    return channels
