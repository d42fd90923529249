import type { Gate } from './schema/gate.js';
import { EVALUATION_S } from './evaluation-time.js';
import { TIME_RATIO } from './task.js';

/** Distance of a value from a gate; `over` > 0 means missed by that much, in the metric's unit. */
export interface Margin {
  gate: string;
  metric: string;
  value: number;
  limit: number;
  side: 'max' | 'min';
  over: number;
  /** Of the mean that a statistical gate is judged by; left out where its error is not known, or the gate is exact. */
  doubt?: Doubt | undefined;
}

/** Allowance of a gate for the error of a mean, in the metric's unit. */
export interface Doubt {
  standardError: number;
  /** Distance beyond the limit up to which it is not missed; below zero: by which it has to be kept. */
  slack: number;
}

/** A margin with how sure it is. */
export interface ToldMargin extends Margin {
  /** An estimate, made before training; else exact. */
  projected: boolean;
}

/** The margins of every gate whose metric is known, in the order of the gates. */
export function margins(
  gates: readonly Gate[],
  metrics: Readonly<Record<string, number>>,
  doubtOf: (gate: Gate) => Doubt | null = () => null,
): Margin[] {
  return gates.flatMap((gate) => {
    const value = metrics[gate.metric];
    if (value === undefined) return [];
    const doubt = doubtOf(gate) ?? undefined;
    const base = { gate: gate.name, metric: gate.metric, value, ...(doubt === undefined ? {} : { doubt }) };
    const found: Margin[] = [];
    if (gate.max !== undefined) found.push({ ...base, limit: gate.max, side: 'max', over: value - gate.max });
    if (gate.min !== undefined) found.push({ ...base, limit: gate.min, side: 'min', over: gate.min - value });
    return found;
  });
}

/** Those that every single run has to keep; the others hold for the mean of a trial's runs. */
export const exactGates = (gates: readonly Gate[]): Gate[] => gates.filter(({ test }) => test === 'exact');

/** Returns true for a gate that is missed. A value exactly at its limit passes. */
export const isMissed = ({ over, doubt }: Margin): boolean => over > (doubt?.slack ?? 0);

/** The first gate that is missed, if any. */
export function firstMiss(found: readonly Margin[]): Margin | undefined {
  return found.find(isMissed);
}

/** Metrics that the harness measures itself, with the moment at which each is known; all others are known in evaluation. */
const HARNESS: Readonly<Record<string, 'static' | 'train' | 'pack' | 'evaluate'>> = {
  code_bytes: 'static',
  train_s: 'train',
  reveal_s: 'train',
  [TIME_RATIO]: 'train',
  bytes: 'pack',
  [EVALUATION_S]: 'evaluate',
};

/**
 * Returns true for a metric of the code alone: its gates are checked before training, and it is not measured again.
 */
export const isStatic = (metric: string): boolean => HARNESS[metric] === 'static';

/**
 * Margins that are certain before any compute: the exact ones of `code_bytes`, and of `bytes` those that the code
 * alone can only miss further, since an artifact adds bytes and takes none away.
 */
export function certainMargins(gates: readonly Gate[], codeBytes: number): Margin[] {
  return margins(gates, { code_bytes: codeBytes, bytes: codeBytes }).filter(
    ({ metric, side }) => metric === 'code_bytes' || side === 'max',
  );
}

/** The phase whose end tells that a gate is missed. */
export const phaseOfMiss = ({ metric }: Pick<Margin, 'metric'>): 'static' | 'train' | 'pack' | 'evaluate' =>
  HARNESS[metric] ?? 'evaluate';

/** Status of a miss by the moment at which it is known: of size or of a static rule, or of what was trained. */
const MISSED: Readonly<Record<Gate['known'], 'size_blocked' | 'disqualified'>> = {
  static: 'size_blocked',
  check: 'size_blocked',
  pack: 'size_blocked',
  train: 'disqualified',
  evaluate: 'disqualified',
};

/** A miss of size or of a static rule is `size_blocked`, every other one `disqualified`. */
export function statusOfMiss(
  gates: readonly Gate[],
  { gate: name, metric }: Pick<Margin, 'gate' | 'metric'>,
): 'size_blocked' | 'disqualified' {
  const own = HARNESS[metric];
  const known = own ?? gates.find((gate) => gate.name === name)?.known;
  return known === undefined ? 'size_blocked' : MISSED[known];
}
