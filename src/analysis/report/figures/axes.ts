import { number } from '../format.js';

/** Place of a drawing in its picture, in its units. */
export const FRAME = { width: 760, height: 300, left: 70, right: 16, top: 14, bottom: 40 } as const;

/** A linear scale from values to places. */
export interface Scale {
  (value: number): number;
  domain: readonly [number, number];
}

export function scale(domain: readonly [number, number], range: readonly [number, number]): Scale {
  const [low, high] = domain;
  const span = high === low ? 1 : high - low;
  const place = (value: number): number => range[0] + ((value - low) / span) * (range[1] - range[0]);
  return Object.assign(place, { domain });
}

/** Least and largest value with a margin, so that no mark lies on the frame. */
export function extent(values: readonly number[], margin = 0.05): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [0, 1];
  const pad = low === high ? Math.abs(low) * margin || 1 : (high - low) * margin;
  return [low - pad, high + pad];
}

/** Round values within a domain, about as many as asked for. */
export function ticks([low, high]: readonly [number, number], about = 6): number[] {
  const rough = (high - low) / about;
  if (!(rough > 0) || !Number.isFinite(rough)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((one) => one >= 0.75 * rough) ?? rough;
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step);
  return Array.from({ length: last - first + 1 }, (_, at) => Number(((first + at) * step).toPrecision(12)));
}

/** A coordinate, short. */
export const at = (value: number): string => String(Number(value.toFixed(1)));

/** The frame's scales for these domains. */
export function frameScales(
  x: readonly [number, number],
  y: readonly [number, number],
): { x: Scale; y: Scale } {
  const { width, height, left, right, top, bottom } = FRAME;
  return { x: scale(x, [left, width - right]), y: scale(y, [height - bottom, top]) };
}

/** Ticks, grid and names of both axes. */
export function axes(x: Scale, y: Scale, names: { x: string; y: string }): string {
  const { width, height, left, right, top, bottom } = FRAME;
  const floor = height - bottom;
  const across = ticks(x.domain, 8).map(
    (value) =>
      `<text class="tick" x="${at(x(value))}" y="${floor + 16}" text-anchor="middle">${number(value, 6)}</text>`,
  );
  const up = ticks(y.domain, 5).map(
    (value) =>
      `<line class="grid" x1="${left}" x2="${width - right}" y1="${at(y(value))}" y2="${at(y(value))}"/>` +
      `<text class="tick" x="${left - 6}" y="${at(y(value) + 4)}" text-anchor="end">${number(value, 6)}</text>`,
  );
  return [
    ...up,
    ...across,
    `<line class="axis" x1="${left}" x2="${width - right}" y1="${floor}" y2="${floor}"/>`,
    `<text class="name" x="${(left + width - right) / 2}" y="${height - 6}" text-anchor="middle">${names.x}</text>`,
    `<text class="name" transform="translate(14 ${(top + floor) / 2}) rotate(-90)" text-anchor="middle">${names.y}</text>`,
  ].join('');
}

/** A picture that takes its colours from the page. */
export function svg(label: string, content: string, height: number = FRAME.height): string {
  return `<svg viewBox="0 0 ${FRAME.width} ${height}" role="img" aria-label="${label}">${content}</svg>`;
}
