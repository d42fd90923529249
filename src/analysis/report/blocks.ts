/** A line or area of a figure: points by the place of a trial. */
export interface ScoreFigure {
  kind: 'scores';
  metric: string;
  unit: string;
  minimize: boolean;
  /** Valid trials and the ineligible that have a score. */
  points: { number: number; score: number; kept: boolean; valid: boolean }[];
  best: { number: number; score: number }[];
  /** Band of noise about the best: one standard deviation of a run; null where it is not known. */
  sd: number | null;
}

/** Counts by role and ending. */
export interface OutcomeFigure {
  kind: 'outcomes';
  rows: { role: string; ending: string; trials: number }[];
}

/** Trials an hour, window by window. */
export interface RateFigure {
  kind: 'rates';
  windows: { from: number; to: number; rate: number }[];
}

/** Expected against measured gains. */
export interface CalibrationFigure {
  kind: 'calibration';
  unit: string;
  points: { role: string; expected: number; measured: number }[];
}

/** Draws that should be equal, with their mean and what the best of them should be. */
export interface PlateauFigure {
  kind: 'plateau';
  metric: string;
  scores: number[];
  mean: number;
  expectedBest: number;
  best: number;
}

/** Best score so far of several searches. */
export interface CoursesFigure {
  kind: 'courses';
  metric: string;
  unit: string;
  /** `last`: number of the last trial. */
  courses: { name: string; last: number; best: { number: number; score: number }[] }[];
}

export type Figure =
  ScoreFigure | CoursesFigure | OutcomeFigure | RateFigure | CalibrationFigure | PlateauFigure;

export interface Table {
  kind: 'table';
  columns: { title: string; right?: boolean }[];
  rows: string[][];
}

/** One part of a report, the same for every form that it is written in. */
export type Block =
  | { kind: 'text'; text: string }
  | { kind: 'list'; items: string[] }
  | Table
  | { kind: 'code'; text: string }
  | { kind: 'figure'; figure: Figure; caption: string };

export interface Section {
  title: string;
  blocks: Block[];
}

/** A whole report. */
export interface ReportDocument {
  title: string;
  /** One line under the title. */
  subtitle: string;
  sections: Section[];
}

export const text = (content: string): Block => ({ kind: 'text', text: content });
export const list = (items: readonly string[]): Block => ({ kind: 'list', items: [...items] });

/** A table whose columns named with a leading `>` are of numbers. */
export const table = (titles: readonly string[], rows: readonly (readonly string[])[]): Table => ({
  kind: 'table',
  columns: titles.map((title) =>
    title.startsWith('>') ? { title: title.slice(1), right: true } : { title },
  ),
  rows: rows.map((row) => [...row]),
});
