/** A numeric constant that a recipe marks as tunable: `LR = 0.3  # knob: 0.01..3 log`. */
export interface Knob {
  /** Name on the left of the assignment. */
  name: string;
  value: number;
  low: number;
  high: number;
  /** Search on a logarithmic scale. */
  log: boolean;
  /** The value and both ends are whole numbers. */
  integer: boolean;
  /** The whole source line, without its line end. */
  line: string;
}

/** Each text is read in one way only: a number of many digits must not be tried in as many splits. */
const NUMBER = String.raw`[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?`;
const KNOB = new RegExp(
  String.raw`^\s*([A-Za-z_]\w*)\s*=\s*(${NUMBER})\s*#\s*knob:\s*(${NUMBER})\.\.(${NUMBER})(\s+log)?\s*$`,
);

/** Every marked knob of a source text, in order; a number too large to be one marks nothing. */
export function knobsOf(source: string): Knob[] {
  return source.split(/\r?\n/).flatMap((line) => {
    const match = KNOB.exec(line);
    if (!match) return [];
    const [, name = '', value = '', low = '', high = '', log] = match;
    const numbers = [value, low, high];
    if (!numbers.every((text) => Number.isFinite(Number(text)))) return [];
    return [
      {
        name,
        value: Number(value),
        low: Number(low),
        high: Number(high),
        log: log !== undefined,
        integer: numbers.every((text) => /^[-+]?\d+$/.test(text)),
        line,
      },
    ];
  });
}

/** The knob's line with another value, kept within its range and, for an integer knob, whole. */
export function turned(knob: Knob, value: number): string {
  const within = (number: number): number => Math.min(knob.high, Math.max(knob.low, number));
  const inside = within(value);
  // rounding may lead out of the range again
  const text = String(knob.integer ? Math.round(inside) : within(Number(inside.toPrecision(4))));
  return knob.line.replace(new RegExp(String.raw`(=\s*)${NUMBER}`), `$1${text}`);
}
