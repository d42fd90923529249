import { knobsOf, turned } from '../../domain/text/knobs.js';
import type { PlacedKnob, Point } from './conversation-state.js';
import type { Evidence } from './evidence.js';

/** Numbers in [0, 1). */
export type Random = () => number;

/** A small generator (mulberry32): equal seeds give equal numbers on every machine. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Steps are fractions of a knob's range, on its own scale. */
const FIRST_STEP = 0.18;
const SMALLEST_STEP = 0.02;
const LARGEST_STEP = 0.35;
const RESTART = 0.06;
const TWO_KNOBS = 0.4;
/** Factor by which a knob that the role's prompt names is turned more often. */
const PREFERRED = 4;

/**
 * The next point to try: one or two knobs moved from where the workspace stands, by steps that grow where they
 * helped, turn back and shrink where they did not; now and then a jump. null where nothing new was found.
 */
export function nextPoint(
  knobs: readonly PlacedKnob[],
  base: Point,
  evidence: Evidence,
  preferred: (name: string) => boolean,
  random: Random,
): Point | null {
  for (let attempt = 0; attempt < 80 && knobs.length > 0; attempt++) {
    const jump = random() < RESTART;
    const count = jump || random() < TWO_KNOBS ? 2 : 1;
    const chosen = choose(knobs, count, (knob) => weight(knob, evidence, preferred(knob.name)), random);
    const point = new Map(base);
    for (const knob of chosen) {
      const here = base.get(knob.name) ?? knob.value;
      const target = jump ? fromUnit(knob, random()) : stepped(knob, here, evidence, random);
      point.set(knob.name, valueOf(knob, target));
    }
    const changed = chosen.every((knob) => point.get(knob.name) !== base.get(knob.name));
    if (changed && !evidence.tried.some((other) => isSame(other, point))) return point;
  }
  return null;
}

function isSame(a: Point, b: Point): boolean {
  return [...b].every(([name, value]) => a.get(name) === value);
}

/** The value as the knob's line would say it: within the range, whole or rounded. */
function valueOf(knob: PlacedKnob, value: number): number {
  return knobsOf(turned(knob, value))[0]?.value ?? knob.value;
}

interface Step {
  size: number;
  up: boolean;
  helped: boolean;
}

/** Lists what was done with a knob so far, oldest first. */
function stepsOf(knob: PlacedKnob, evidence: Evidence): Step[] {
  return evidence.turns.flatMap(({ changes, helped }) => {
    const change = changes.get(knob.name);
    if (change === undefined || helped === null) return [];
    const distance = toUnit(knob, change.to) - toUnit(knob, change.from);
    return Number.isFinite(distance) && distance !== 0
      ? [{ size: Math.abs(distance), up: distance > 0, helped }]
      : [];
  });
}

function weight(knob: PlacedKnob, evidence: Evidence, isPreferred: boolean): number {
  const steps = stepsOf(knob, evidence);
  const failures = steps.length - 1 - steps.findLastIndex(({ helped }) => helped);
  const worth = steps.length === 0 ? 1.5 : failures === 0 ? 2.5 : Math.max(0.1, 0.65 ** failures);
  return worth * (isPreferred ? PREFERRED : 1);
}

function stepped(knob: PlacedKnob, here: number, evidence: Evidence, random: Random): number {
  const steps = stepsOf(knob, evidence);
  const last = steps.at(-1);
  const before = steps.at(-2);
  let up = random() < 0.5;
  let size = FIRST_STEP;
  if (last?.helped === true) {
    up = last.up;
    size = last.size * 1.3;
  } else if (last !== undefined) {
    const bothWays = before !== undefined && !before.helped && before.up !== last.up;
    if (!bothWays) up = !last.up;
    // After a step that helped, one that went too far is worth half as much the same way, or a little back.
    size = bothWays || before?.helped === true ? last.size / 2 : last.size;
  }
  const jitter = Math.exp(0.6 * (random() - 0.5));
  const reach = Math.min(LARGEST_STEP, Math.max(SMALLEST_STEP, size * jitter));
  const at = toUnit(knob, here);
  if (up ? at >= 0.999 : at <= 0.001) up = !up;
  const target = fromUnit(knob, Math.min(1, Math.max(0, at + (up ? reach : -reach))));
  if (!knob.integer || Math.round(target) !== here) return target;
  return here + (up ? 1 : -1);
}

function toUnit(knob: PlacedKnob, value: number): number {
  if (!knob.log) return (value - knob.low) / (knob.high - knob.low);
  return Math.log(value / knob.low) / Math.log(knob.high / knob.low);
}

function fromUnit(knob: PlacedKnob, unit: number): number {
  if (!knob.log) return knob.low + unit * (knob.high - knob.low);
  return knob.low * (knob.high / knob.low) ** unit;
}

function choose(
  knobs: readonly PlacedKnob[],
  count: number,
  weigh: (knob: PlacedKnob) => number,
  random: Random,
): PlacedKnob[] {
  const left = [...knobs];
  const chosen: PlacedKnob[] = [];
  while (chosen.length < count && left.length > 0) {
    let mark = random() * left.reduce((sum, knob) => sum + weigh(knob), 0);
    const index = left.findIndex((knob) => (mark -= weigh(knob)) <= 0);
    chosen.push(...left.splice(Math.max(0, index), 1));
  }
  return chosen;
}
