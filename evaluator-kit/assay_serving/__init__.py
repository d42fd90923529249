"""Scores models that nobody trusts: the evaluator's side of served scoring, protocol 2.

The recipe's own code answers as a server, in a sandbox without labels and without network. This package is on the
evaluator's side: it frames, keeps deadlines, decides order and moments of adaptation, normalises, and compares two
servers. Standard library and numpy only. assay puts it on the evaluator's PYTHONPATH.

    import assay_serving as serving

    def measure():
        scores = serving.score_text(tokens, serving.Text(vocab=256), serving.servers(twins=True))
        bits = scores.mean().times(1 / np.log(2))
        return {'metrics': {'bpb': bits.mean}, 'standard_errors': {'bpb': bits.standard_error}, 'feedback': ''}

    serving.evaluate(measure)

    score_text(tokens, Text(vocab=…, chunk=…, max_context=…, blind=…), channels)        a text in order   -> Scores
    score_rows(tokens[rows, length], Rows(vocab=…, batch=…, blind=…), channels, spans)  independent rows  -> Scores
    choose(items, Choices(vocab=…), channels)                   the likeliest of rows   -> int[items]
    greedy_hits(prompts, continuations, Greedy(vocab=…), channels)                      -> bool[items]
    predict_items(items, Items(width=…), channels)                                      -> float64[items, width]

`Scores` holds the scored tokens in the order in which they were given (of rows: span after span). Its one method for
a result is `mean(where=mask, of=function of nats)`, an Estimate(mean, standard_error, tokens, blind); `times(factor)`
changes the unit. Bits a byte of rows whose tokens have 0 bytes left out:

    counted = sizes > 0                                        # of each scored token; sizes in bytes
    bits = scores.mean(counted).times(counted.sum() / sizes.sum() / np.log(2))

    score_parts([RowsPart(…), ChoicesPart(…), GreedyPart(…)], Times(…), channels)    several of them, in one life of a server

TWO SERVERS. For a language model the inputs are the labels, shifted by one: whoever sees a request sees its labels.
The first server is sent them, and claims for each token the log-probability that it gave it: 4 bytes a token, whatever
the vocabulary. When it has answered everything and is dead the second server of the same artifact starts, and secret
places are drawn. It is sent only what is before a place, and answers the whole row of logits; these are normalised
here, in float64. A text is asked in order, and both may learn from a chunk when it is scored, if they say so; so the
second has not seen the token at a place in this request or any earlier one.

SCORE. The mean of the claims, plus the mean difference (second - first) at the places: its expectation is the score of
the second server, whose answers are normalised and blind, whatever the first claims. What is a lie only adds to the
standard error. Claims are never published without this correction.

REFUSED (`twins_disagree`) is an evaluation whose difference shows that the first server did other work than the
second; the figures of `Tests`, measured on the start recipe, say how much is honest:
    mean      4 standard errors and the tolerance: rows that are not normalised, or all a little better
    outliers  of a share f of rows that are claimed by looking, one is seen among n places with 1 - (1 - f)^n
    spread    the 99th percentile, at most twice that of the start: a second server that works harder than the first
              could do for a whole text cannot be met row by row by guessing
    time      the mean of the second's blind answers, `row_s` (`late`)

CHOICES hold no answer: which of an item's rows is right is never sent, and no row says which others belong to it. That
claims are log-probabilities of one distribution is tested as above; then the second server claims all of them in another
order, and must come to the same choice but for a share `disagree`. What shows answers of other items (examples before a
question) could be remembered, by either server in its own order: so they differ where only one of them knew.

FRAMES. 4 bytes of length, little endian, a JSON object of that many bytes, `bytes` (a field of it, 0 where it is
absent) bytes of payload. The answer has the type and the id of its request. Tokens are uint8 up to a vocabulary of
256, uint16 up to 65,536, else uint32; all numbers are little endian.
    {type: hello, protocol: 2, vocab, max_context, max_rows, chunk, chunks_total, verbs}
        -> {type, protocol: 2, vocab, verbs}: those it has, `adapt` among them if it wants to learn
    {type: gather, id, at, context, count} + tokens[context + count]    -> float32[count]: log-probabilities of the last
        `count` tokens, each from the tokens before it; `at`: place in the text of the first of them
    {type: blind, id, at, context} + tokens before place `at`           -> float32[vocab]: logits of the token at `at`;
        the first `context` of them precede its chunk, as in gather
    {type: adapt, id, at} + tokens that were just scored, from `at` on  -> {type, id}
    {type: rows, id, rows, length} + tokens[rows, length], spans uint32[rows, 2]
        -> float32: log-probabilities of tokens[first:end] of each row's span, row after row
    {type: blinds, id, rows, length} + tokens[rows, length], lengths uint32[rows]
        -> float32[rows, vocab]: logits of the token after the first `lengths` of each row; the rest is padding
    {type: greedy, id, rows, length} + tokens[rows, length], lengths uint32[rows]
        -> uint32[rows]: the likeliest token after the first `lengths` of each row
    {type: predict, id, count} + items of one size                      -> float32[count, vocab]
    {type: bye} -> {type: bye}, then the end of its output

What a server says is never repeated in words: it may know held-out text, and reasons reach agents.
"""
from .asker import Times, log_probabilities
from .channel import Channel, Fault, servers
from .choices import Choices, ChoicesPart, choose
from .estimate import Estimate, Scores, Tests
from .items import Greedy, GreedyPart, Items, greedy_hits, predict_items
from .pace import Pace
from .parts import score_parts
from .result import evaluate
from .rows import Rows, RowsPart, score_rows
from .secret import Secret, Secrets
from .text import Text, score_text

__all__ = ['Channel', 'Choices', 'ChoicesPart', 'Estimate', 'Fault', 'Greedy', 'GreedyPart', 'Items', 'Pace', 'Rows', 'RowsPart', 'Scores',
           'Secret', 'Secrets', 'Tests', 'Text', 'Times', 'choose', 'evaluate', 'greedy_hits', 'log_probabilities', 'predict_items',
           'score_parts', 'score_rows', 'score_text', 'servers']
