"""Which rows go into one request, and how rows of several lengths lie in it."""
import numpy as np


def in_requests(rows, lengths, how, secret, *of):
    """Lists of rows, given in a secret order: at most `how.batch` rows and `how.tokens` tokens each, filled up to the longest.

    Rows of one length stay in their order. Others are put beside rows of like length, since filling up costs a server as
    much as tokens do, and the requests come in a secret order.
    """
    if len(set(lengths[row] for row in rows)) < 2:
        return cut(rows, lengths, how)
    requests = cut(sorted(rows, key=lambda row: lengths[row]), lengths, how)
    return [requests[at] for at in secret.permutation(len(requests), 'requests', *of)]


def cut(rows, lengths, how):
    requests, longest = [[]], 0
    for row in rows:
        longest = max(longest, lengths[row])
        if requests[-1] and (len(requests[-1]) == how.batch or (len(requests[-1]) + 1) * longest > how.tokens):
            requests.append([])
            longest = lengths[row]
        requests[-1].append(row)
    return requests


def filled(rows, length, kind):
    """Rows of tokens as one array [rows, length] of a type, zeros behind each."""
    tokens = np.zeros((len(rows), length), kind)
    for place, row in zip(tokens, rows):
        place[: len(row)] = row
    return tokens
