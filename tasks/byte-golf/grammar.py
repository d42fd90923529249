"""An invented language with a known entropy.

Text is drawn from a fixed lexicon (Zipf frequencies, regular endings) by a grammar with agreement over a distance,
nested relative clauses that close with a marker, and paragraphs that repeat their nouns and people. Every random
choice adds -log2 of its probability to a count. A text has exactly one derivation (each choice shows in it), so that
count is the exact code length of the text under its own source: no model can beat it on average.

Only integers decide what is drawn, so the same seed gives the same bytes on every host.
"""
import math
import random

LEXICON_SEED = 'byte-golf/lexicon/1'
SIZES = {'noun': 1200, 'transitive': 420, 'intransitive': 160, 'reporting': 40, 'adjective': 360, 'adverb': 90,
         'given': 260, 'family': 260}
ONSETS = ['', 'b', 'd', 'f', 'g', 'h', 'k', 'l', 'm', 'n', 'p', 'r', 's', 't', 'v', 'sh', 'st', 'br', 'tr', 'kl']
VOWELS = ['a', 'e', 'i', 'o', 'u', 'ae', 'ou']
CODAS = ['l', 'n', 'r', 's', 't', 'k', 'm', 'nd', 'rt', 'sk']
NOUN_ENDS = (('a', 'ai'), ('o', 'oi'))  # [gender][number]
ADJECTIVE_ENDS = (('ena', 'enai'), ('eno', 'enoi'))
VERB_ENDS = (('it', 'int'), ('ar', 'arn'))  # [tense][number]
DETERMINERS = (  # [kind][gender][number]
    (('la', 'lai'), ('lo', 'loi')),
    (('una', 'sumai'), ('uno', 'sumoi')),
    (('ista', 'istai'), ('isto', 'istoi')),
)
PREPOSITIONS = ['in', 'sur', 'kon', 'por', 'sub', 'tras', 'ante', 'verso', 'entre', 'fin']
CONJUNCTIONS = ['e', 'ma', 'dum', 'porke', 'se', 'kuando']
SUBJECT_WHO, OBJECT_WHO, CLOSE, THAT = 'ke', 'kem', 'ta', 'das'


class Choices:
    """Draws, and the count of their information in bits."""

    def __init__(self, seed):
        self._random = random.Random(seed)  # its random() is specified to stay the same between versions
        self.bits = 0.0

    def below(self, total):
        return (int(self._random.random() * (1 << 53)) * total) >> 53

    def weighted(self, weights):
        """An index, with probability in proportion to its integer weight."""
        total = sum(weights)
        at = self.below(total)
        for index, weight in enumerate(weights):
            if at < weight:
                self.bits -= math.log2(weight / total)
                return index
            at -= weight
        raise AssertionError('weights changed while drawing')

    def chance(self, percent):
        return self.weighted((percent, 100 - percent)) == 0


class Zipf:
    """Ranks 0..size-1 with weights in proportion to 1 / (rank + 2.7)."""

    def __init__(self, size):
        self.weights = [10**9 // (10 * rank + 27) for rank in range(size)]
        self.sums = []
        total = 0
        for weight in self.weights:
            total += weight
            self.sums.append(total)

    def draw(self, choices, without):
        """A rank that is not in `without`."""
        total = self.sums[-1]
        while True:
            at = choices.below(total)
            low, high = 0, len(self.sums) - 1
            while low < high:
                middle = (low + high) // 2
                if at < self.sums[middle]:
                    high = middle
                else:
                    low = middle + 1
            if low not in without:
                left = total - sum(self.weights[rank] for rank in without)
                choices.bits -= math.log2(self.weights[low] / left)
                return low


def forms(kind, stem):
    if kind == 'noun':
        return [stem + end for ends in NOUN_ENDS for end in ends]
    if kind == 'adjective':
        return [stem + end for ends in ADJECTIVE_ENDS for end in ends]
    if kind == 'adverb':
        return [stem + 'esh']
    if kind in ('given', 'family'):
        return [stem.capitalize()]
    return [stem + end for ends in VERB_ENDS for end in ends]


def lexicon():
    """Stems by kind, most frequent first. No written form belongs to two of them."""
    source = Choices(LEXICON_SEED)
    taken = {word for kind in DETERMINERS for pair in kind for word in pair}
    taken |= {*PREPOSITIONS, *CONJUNCTIONS, SUBJECT_WHO, OBJECT_WHO, CLOSE, THAT}
    words = {}
    for kind, size in SIZES.items():
        words[kind] = []
        while len(words[kind]) < size:
            # frequent words are short, as in real languages
            syllables = 1 + source.weighted((5, 4, 1) if len(words[kind]) < size // 6 else (1, 6, 3))
            stem = ''
            for _ in range(syllables):
                stem += ONSETS[source.below(len(ONSETS))] + VOWELS[source.below(len(VOWELS))]
            stem += CODAS[source.below(len(CODAS))]
            written = forms(kind, stem)
            if taken.isdisjoint(written):
                taken.update(written)
                words[kind].append(stem)
    return words


class Writer:
    """Writes paragraphs; its state within a paragraph is who and what was mentioned, latest first."""

    def __init__(self, seed):
        self.choices = Choices(seed)
        self.words = lexicon()
        self.zipf = {kind: Zipf(size) for kind, size in SIZES.items()}
        self.genders = [Choices(f'{LEXICON_SEED}/gender/{rank}').below(2) for rank in range(SIZES['noun'])]
        self.people, self.families, self.things, self.out = [], {}, [], []

    def word(self, kind):
        return self.words[kind][self.zipf[kind].draw(self.choices, ())]

    def again(self, recent, percent):
        """One of the recent ones, the latest likeliest; None for a new one."""
        if not recent or not self.choices.chance(percent):
            return None
        return recent[self.choices.weighted([60 // (place + 1) for place in range(len(recent))])]

    def person(self):
        known = self.again(self.people, 80)
        rank = self.zipf['given'].draw(self.choices, self.people) if known is None else known
        self.out.append(self.words['given'][rank].capitalize())
        if known is None:
            self.families[rank] = self.word('family').capitalize()
            self.out.append(self.families[rank])
        elif self.choices.chance(30):
            self.out.append(self.families[rank])
        if known is not None:
            self.people.remove(rank)
        self.people.insert(0, rank)

    def noun(self):
        known = self.again(self.things, 35)
        rank = self.zipf['noun'].draw(self.choices, self.things) if known is None else known
        if known is not None:
            self.things.remove(rank)
        self.things.insert(0, rank)
        del self.things[8:]
        return rank

    def phrase(self, depth):
        """A noun phrase; returns its number (0 singular, 1 plural)."""
        if self.choices.chance(30):
            self.person()
            return 0
        number = self.choices.weighted((65, 35))
        rank = self.noun()
        gender = self.genders[rank]
        self.out.append(DETERMINERS[self.choices.weighted((55, 30, 15))][gender][number])
        for _ in range(self.choices.weighted((62, 30, 8))):
            self.out.append(self.word('adjective') + ADJECTIVE_ENDS[gender][number])
        self.out.append(self.words['noun'][rank] + NOUN_ENDS[gender][number])
        if depth < 3 and self.choices.chance(24 - 6 * depth):
            self.relative(number, depth + 1)
        return number

    def relative(self, number, depth):
        if self.choices.chance(65):
            self.out.append(SUBJECT_WHO)
            self.predicate(number, depth)
        else:
            self.out.append(OBJECT_WHO)
            self.verb('transitive', self.phrase(depth))
        self.out.append(CLOSE)

    def verb(self, kind, number):
        stem = self.word(kind)
        self.out.append(stem + VERB_ENDS[self.choices.weighted((60, 40))][number])
        if self.choices.chance(15):
            self.out.append(self.word('adverb') + 'esh')

    def predicate(self, number, depth):
        kind = self.choices.weighted((66, 24, 10) if depth < 2 else (70, 30))
        self.verb(('transitive', 'intransitive', 'reporting')[kind], number)
        if kind == 2:
            self.out.append(THAT)
            self.clause(depth + 1)
            return
        if kind == 0:
            self.phrase(depth)
        for _ in range(self.choices.weighted((60, 32, 8))):
            self.out.append(PREPOSITIONS[self.choices.weighted((30, 20, 14, 10, 8, 6, 4, 4, 2, 2))])
            self.phrase(depth)

    def clause(self, depth):
        self.predicate(self.phrase(depth), depth)

    def paragraph(self):
        self.people, self.families, self.things = [], {}, []
        sentences = []
        for _ in range(4 + self.choices.weighted((1, 2, 2, 2, 1))):
            self.out = []
            self.clause(0)
            if self.choices.chance(30):
                self.out[-1] += ','
                self.out.append(CONJUNCTIONS[self.choices.weighted((40, 25, 15, 10, 6, 4))])
                self.clause(0)
            sentences.append(' '.join(self.out) + '.')
        return ' '.join(sentences) + '\n'


def write(seed, size):
    """Whole paragraphs of at least `size` bytes; returns the text and its code length in bits."""
    writer = Writer(seed)
    parts, length = [], 0
    while length < size:
        parts.append(writer.paragraph().encode('ascii'))
        length += len(parts[-1])
    return b''.join(parts), writer.choices.bits
