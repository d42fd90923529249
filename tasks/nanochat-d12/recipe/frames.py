"""Frames of the protocol that evaluators speak: 4 bytes of length, a JSON header of that many, `bytes` bytes of payload."""
import json


def read(stream):
    """(header, payload) of the next frame; None at the end."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    header = json.loads(stream.read(int.from_bytes(head, 'little')))
    return header, stream.read(header.get('bytes', 0))


def write(stream, header, payload=b''):
    text = json.dumps({**header, 'bytes': len(payload)}).encode()
    stream.write(len(text).to_bytes(4, 'little') + text)
    stream.write(payload)
    stream.flush()


def parts_of(header, payload, count):
    """The request as up to `count` requests, each for some of its rows, in their order."""
    rows, width = header['rows'], 2 * header['length']  # tokens are uint16
    each = (len(payload) - rows * width) // rows  # what follows the tokens: spans or lengths of the rows
    edges = [rows * at // count for at in range(count + 1)]
    return [({**header, 'rows': end - first},
             payload[first * width:end * width] + payload[rows * width + first * each:rows * width + end * each])
            for first, end in zip(edges, edges[1:])]
