import type { Gate } from './task.js';

/** How far a value is from a gate; `over` > 0 means missed by that much, in the metric's unit. */
export interface Margin {
  gate: string;
  metric: string;
  value: number;
  limit: number;
  side: 'max' | 'min';
  over: number;
}

/** The margins of every gate whose metric is known, in the order of the gates. */
export function margins(gates: readonly Gate[], metrics: Readonly<Record<string, number>>): Margin[] {
  return gates.flatMap((gate) => {
    const value = metrics[gate.metric];
    if (value === undefined) return [];
    const base = { gate: gate.name, metric: gate.metric, value };
    const found: Margin[] = [];
    if (gate.max !== undefined) found.push({ ...base, limit: gate.max, side: 'max', over: value - gate.max });
    if (gate.min !== undefined) found.push({ ...base, limit: gate.min, side: 'min', over: gate.min - value });
    return found;
  });
}

/** The first gate that is missed, if any. A value exactly at its limit passes. */
export function firstMiss(found: readonly Margin[]): Margin | undefined {
  return found.find((margin) => margin.over > 0);
}
