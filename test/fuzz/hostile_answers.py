"""Answers of any bytes to the evaluator kit: each ends in an answer or a Fault. Arguments: how many, and a seed."""
import json
import os
import random
import socket
import sys
import threading

import assay_serving as serving
from assay_serving import channel as frames

PATIENT = 60.0  # seconds of an exchange whose answer ends, and
BRIEF = 0.05  # of one whose server falls silent
HEADER = b'{"type": "gather", "id": 7, "bytes": 8}'
PIECES = [
    b'\0\0\0\0', b'\1\0\0\0', b'\xff\xff\xff\xff', b'\0\x10\0\0', b'[' * 4096, b'{' * 300, b'"' * 300, b'1' * 4090,
    b'{"type": NaN}', b'{"bytes": 1e999}', b'{"bytes": true}', b'{"id": 7.0}', b'\xef\xbb\xbf{}', b'\xff\xfe{\0}\0',
    b'{"type": "gather", "type": "bye"}', b'null', b'[]', b'\xed\xa0\x80', b'{"a": "\\ud800"}', HEADER, bytes(8),
]


def framed(text):
    return len(text).to_bytes(4, 'little') + text


def answer(draw):
    """Bytes that a server may write: noise, frames of noise, the right answer with a hole in it."""
    parts = []
    for _ in range(draw.randrange(5)):
        kind = draw.randrange(4)
        if kind == 0:
            parts.append(draw.randbytes(draw.randrange(64)))
        elif kind == 1:
            parts.append(framed(draw.choice(PIECES)))
        elif kind == 2:
            parts.append(draw.choice(PIECES))
        else:
            whole = bytearray(framed(HEADER) + bytes(8))
            whole[draw.randrange(len(whole))] = draw.randrange(256)
            parts.append(bytes(whole))
    return b''.join(parts)


def write(server, content, sizes, closes):
    """In pieces of these sizes, then the end or silence."""
    try:
        at = 0
        for size in sizes:
            server.sendall(content[at : at + size])
            at += size
        server.sendall(content[at:])
        if closes:
            server.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def ask(content, sizes, closes):
    """What became of one request: 'answered', the kind of a Fault, or the name of what must not come."""
    ours, server = socket.socketpair()
    with ours, server:
        writer = threading.Thread(target=write, args=(server, content, sizes, closes), daemon=True)
        writer.start()
        channel = serving.Channel(ours.fileno(), ours.fileno())
        try:
            channel.ask({'type': 'gather', 'id': 7}, bytes(16), {'type': 'gather', 'id': 7}, bytearray(8),
                        PATIENT if closes else BRIEF)
            channel.end(0.0)
            return 'answered'
        except serving.Fault as fault:
            return fault.kind if str(fault).isascii() else 'words of the server'
        except BaseException as error:
            return f'{type(error).__name__}: {error}'
        finally:
            ours.shutdown(socket.SHUT_RDWR)
            writer.join()


class Trickle:
    """A server that writes one more byte each time that it is waited for, and a clock that runs only then."""

    def __init__(self, each_s):
        self.each_s, self.now, self.waits = each_s, 0.0, 0

    def monotonic(self):
        return self.now

    def select(self, readable, writable, _, left):
        self.waits += 1
        self.now += min(self.each_s, left)
        return readable, writable, []


def trickled(each_s):
    """How a request ends whose answer comes a byte at a time, and how often it was waited for."""
    trickle = Trickle(each_s)
    ours, server = socket.socketpair()
    with ours, server:
        content = framed(b'{"type": "gather", "id": 7, "bytes": 4000}' + b' ' * 4000)
        server.sendall(content)
        channel = serving.Channel(ours.fileno(), ours.fileno())
        real = frames.select, frames.time, os.readv
        frames.select, frames.time, os.readv = trickle, trickle, lambda fd, views: real[2](fd, [views[0][:1]])
        try:
            channel.ask({'type': 'gather', 'id': 7}, b'', {'type': 'gather', 'id': 7}, bytearray(4000), 1.0)
            return 'answered', trickle.waits
        except serving.Fault as fault:
            return fault.kind, trickle.waits
        finally:
            frames.select, frames.time, os.readv = real


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    draw = random.Random(seed)
    came = {}
    for _ in range(count):
        content = answer(draw)
        sizes = [draw.randrange(1, 4) for _ in range(draw.randrange(6))]
        end = ask(content, sizes, draw.random() < 0.8)
        came[end] = came.get(end, 0) + 1
    good = ask(framed(HEADER) + bytes(8), [1] * 30, True)
    deepest = [ask(framed(piece), [], True) for piece in PIECES]
    print(json.dumps({'came': came, 'good': good, 'pieces': deepest, 'trickle': trickled(0.01)}))


main()
