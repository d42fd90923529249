/**
 * Regular expressions whose cost is bounded by text times pattern: an agent's pattern must not be able to stop a
 * worker, as a backtracking engine can be made to. No back references and no look-around, hence.
 */
export interface Pattern {
  /** Looks for a match in any part of the line, in about `most` steps at most. */
  readonly find: (line: string, most: number) => Found;
}

export interface Found {
  /** Null where the steps did not suffice. */
  found: boolean | null;
  /** Steps that it took: letters, states, and the parts of states that have many. */
  steps: number;
}

type Assertion = 'start' | 'end' | 'word' | 'notWord';
/** `cost`: steps that the test takes. */
interface Letter {
  test: (letter: string) => boolean;
  cost: number;
}
type Node =
  | ({ kind: 'letter' } & Letter)
  | { kind: 'assert'; what: Assertion }
  | { kind: 'all'; parts: Node[] }
  | { kind: 'any'; parts: Node[] }
  | { kind: 'repeat'; part: Node; least: number; most: number };
type State =
  | ({ kind: 'letter'; next: number } & Letter)
  | { kind: 'assert'; what: Assertion; next: number }
  | { kind: 'split'; nexts: number[] }
  | { kind: 'match' };

const MAX_STATES = 1_500;
const MAX_REPEAT = 100;

class NotSupported extends Error {}

/** The compiled pattern, or null where it is malformed, too large or asks for what is not supported. */
export function compilePattern(source: string): Pattern | null {
  try {
    const states: State[] = [{ kind: 'match' }];
    const start = build(new Reader(source).whole(), 0, states);
    return { find: (line, most) => run(states, start, line, most) };
  } catch (error) {
    if (error instanceof NotSupported) return null;
    throw error;
  }
}

function add(states: State[], state: State): number {
  if (states.length >= MAX_STATES) throw new NotSupported();
  return states.push(state) - 1;
}

/** Puts a node's states before `next` and returns where the node begins. */
function build(node: Node, next: number, states: State[]): number {
  switch (node.kind) {
    case 'letter':
      return add(states, { ...node, next });
    case 'assert':
      return add(states, { kind: 'assert', what: node.what, next });
    case 'all':
      return node.parts.reduceRight((then, part) => build(part, then, states), next);
    case 'any':
      return add(states, { kind: 'split', nexts: node.parts.map((part) => build(part, next, states)) });
    case 'repeat': {
      let then = next;
      if (node.most === Infinity) {
        const nexts = [next];
        then = add(states, { kind: 'split', nexts });
        nexts.push(build(node.part, then, states));
      } else {
        for (let extra = node.least; extra < node.most; extra++)
          then = add(states, { kind: 'split', nexts: [build(node.part, then, states), next] });
      }
      for (let count = 0; count < node.least; count++) then = build(node.part, then, states);
      return then;
    }
  }
}

/** Thompson's simulation: all states that the letters so far can have led to, step by step. */
function run(states: readonly State[], start: number, line: string, most: number): Found {
  let steps = line.length + states.length;
  if (steps > most) return { found: null, steps };
  const letters = Array.from(line);
  const seenAt = new Int32Array(states.length).fill(-1);
  let from: number[] = [];
  for (let at = 0; at <= letters.length; at++) {
    from.push(start);
    const letter = letters[at];
    const next: number[] = [];
    for (let index = from.pop(); index !== undefined; index = from.pop()) {
      steps += 1;
      if (seenAt[index] === at) continue;
      seenAt[index] = at;
      const state = states[index];
      if (state === undefined) continue;
      if (state.kind === 'match') return { found: true, steps };
      if (state.kind === 'split') from.push(...state.nexts);
      else if (state.kind === 'letter') {
        steps += state.cost;
        if (letter !== undefined && state.test(letter)) next.push(state.next);
      } else if (holds(state.what, letters, at)) from.push(state.next);
    }
    if (steps > most) return { found: null, steps };
    from = next;
  }
  return { found: false, steps };
}

function holds(what: Assertion, letters: readonly string[], at: number): boolean {
  if (what === 'start') return at === 0;
  if (what === 'end') return at === letters.length;
  const edge = isWord(letters[at - 1] ?? '') !== isWord(letters[at] ?? '');
  return what === 'word' ? edge : !edge;
}

const isWord = (letter: string): boolean => /^\w$/.test(letter);

const CLASSES: Readonly<Record<string, (letter: string) => boolean>> = {
  d: (letter) => /^\d$/.test(letter),
  D: (letter) => !/^\d$/.test(letter),
  w: isWord,
  W: (letter) => !isWord(letter),
  s: (letter) => /^\s$/.test(letter),
  S: (letter) => !/^\s$/.test(letter),
};
const CONTROLS: Readonly<Record<string, string>> = { t: '\t', r: '\r', n: '\n', f: '\f', v: '\v' };

/** Reads a pattern by recursive descent. */
class Reader {
  private at = 0;
  private readonly letters: string[];

  constructor(source: string) {
    this.letters = Array.from(source);
  }

  whole(): Node {
    const node = this.either(0);
    if (this.at < this.letters.length) throw new NotSupported();
    return node;
  }

  private peek(): string | undefined {
    return this.letters[this.at];
  }

  private take(): string {
    const letter = this.letters[this.at++];
    if (letter === undefined) throw new NotSupported();
    return letter;
  }

  private skip(letter: string): boolean {
    if (this.peek() !== letter) return false;
    this.at++;
    return true;
  }

  private either(depth: number): Node {
    if (depth > 20) throw new NotSupported();
    const parts = [this.sequence(depth)];
    while (this.skip('|')) parts.push(this.sequence(depth));
    return { kind: 'any', parts };
  }

  private sequence(depth: number): Node {
    const parts: Node[] = [];
    for (let next = this.peek(); next !== undefined && next !== '|' && next !== ')'; next = this.peek())
      parts.push(this.repeated(this.atom(depth)));
    return { kind: 'all', parts };
  }

  private repeated(part: Node): Node {
    const counts = this.counts();
    if (counts === null) return part;
    if (part.kind === 'assert') throw new NotSupported();
    this.skip('?');
    if (this.counts() !== null) throw new NotSupported();
    return { kind: 'repeat', part, least: counts[0], most: counts[1] };
  }

  private counts(): [number, number] | null {
    if (this.skip('*')) return [0, Infinity];
    if (this.skip('+')) return [1, Infinity];
    if (this.skip('?')) return [0, 1];
    const match = /^\{(\d{1,3})(,(\d{0,3}))?\}/.exec(this.letters.slice(this.at, this.at + 10).join(''));
    if (!match) return null;
    this.at += match[0].length;
    const least = Number(match[1]);
    const most = match[2] === undefined ? least : match[3] === '' ? Infinity : Number(match[3]);
    if (least > MAX_REPEAT || (most !== Infinity && most > MAX_REPEAT) || most < least)
      throw new NotSupported();
    return [least, most];
  }

  private atom(depth: number): Node {
    const letter = this.take();
    if (letter === '(') {
      if (this.skip('?') && !this.skip(':')) throw new NotSupported();
      const inner = this.either(depth + 1);
      if (!this.skip(')')) throw new NotSupported();
      return inner;
    }
    if (letter === '[') return { kind: 'letter', ...this.set() };
    if (letter === '.') return { kind: 'letter', test: () => true, cost: 1 };
    if (letter === '^') return { kind: 'assert', what: 'start' };
    if (letter === '$') return { kind: 'assert', what: 'end' };
    if ('*+?'.includes(letter)) throw new NotSupported();
    if (letter !== '\\') return { kind: 'letter', test: (other) => other === letter, cost: 1 };
    const escaped = this.take();
    if (escaped === 'b' || escaped === 'B')
      return { kind: 'assert', what: escaped === 'b' ? 'word' : 'notWord' };
    return { kind: 'letter', test: escape(escaped), cost: 1 };
  }

  private set(): Letter {
    const negated = this.skip('^');
    const tests: ((letter: string) => boolean)[] = [];
    while (!this.skip(']')) {
      const low = this.take();
      if (low === '\\') {
        tests.push(escape(this.take()));
      } else if (this.peek() === '-' && this.letters[this.at + 1] !== ']') {
        this.at++;
        const high = this.take();
        if (high === '\\' || high < low) throw new NotSupported();
        tests.push((letter) => letter >= low && letter <= high);
      } else {
        tests.push((letter) => letter === low);
      }
    }
    return { test: (letter) => tests.some((test) => test(letter)) !== negated, cost: tests.length };
  }
}

function escape(letter: string): (other: string) => boolean {
  const known = CLASSES[letter];
  if (known !== undefined) return known;
  const control = CONTROLS[letter];
  if (control !== undefined) return (other) => other === control;
  if (/^[A-Za-z0-9]$/.test(letter)) throw new NotSupported();
  return (other) => other === letter;
}
