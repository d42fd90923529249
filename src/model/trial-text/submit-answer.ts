import type { Believed } from '../../domain/decision/lesson.js';
import type { Left } from '../../domain/session/left.js';
import { toldStatusSchema, type Noise, type ToldStatus } from '../../domain/session/told.js';
import type { TrialStatus } from '../../domain/statuses.js';
import type { Margin } from '../../domain/task/gates.js';
import type { Projection } from '../../domain/task/rehearsal.js';
import type { MovedRow } from '../../domain/text/table-changes.js';
import type { Failure } from '../../domain/trial/outcome.js';
import type { PhaseTime, SizeParts } from '../../domain/trial/measured-parts.js';
import type { FailurePlace } from '../../domain/trial/traceback.js';
import {
  amount,
  believedText,
  clip,
  marginText,
  numberIn,
  projectionText,
  quoted,
  signed,
} from '../answers.js';
import { expectationText, movedText } from './lesson-text.js';
import { limitText, phasesText, sizeText } from './measured-text.js';

/** The trial that the search builds on, and the one before it where this trial has moved it. */
export interface FrontierNow {
  trial: number;
  score: number | null;
  believed: Believed | null;
  before: { trial: number; score: number } | null;
}

/** Trial of another conversation, in a line. */
export interface OtherTrial {
  trial: number;
  role: string;
  /** null while it runs. */
  status: TrialStatus | null;
  score: number | null;
  hypothesis: string;
}

/** The end of a submitted trial. Scores are in `unit`; `delta` is score − parent's score. */
export interface SubmitAnswer {
  trial: number;
  status: ToldStatus;
  score: number | null;
  unit: string;
  runs: number;
  noise: Noise | null;
  parent: number | null;
  parentScore: number | null;
  delta: number | null;
  /** Change that its proposer expected. */
  expectedDelta: number | null;
  believed: Believed | null;
  /** null where the conversation may not know it. */
  frontier: FrontierNow | null;
  sizes: SizeParts | null;
  phases: readonly PhaseTime[];
  /** Exact: of what was measured; those of sizes are told with `sizes`. */
  margins: readonly Margin[];
  /** The limit that ended it. */
  limit: Failure['limit'];
  /** Projected duration of its evaluation; null where none was projected, or it was measured. */
  projection: Projection | null;
  failure: { phase: string; reason: string; place: FailurePlace | null } | null;
  /** Last progress of a training that was cut. */
  progress: { share: number; value: number } | null;
  /** Lines of the evaluator's report, with their change against the parent. */
  report: readonly string[];
  moved: MovedRow | null;
  /** Last lines of the logs of phases. */
  logs: readonly { phase: string; lines: readonly string[] }[];
  lesson: string;
  /** Trials of others that ended since it was submitted, or run; null where the conversation may not know. */
  meanwhile: readonly OtherTrial[] | null;
  left: Left;
}

/** Renders the answer to a submit: our lines begin at the margin, those of others are indented. */
export function submitAnswer(answer: SubmitAnswer): string {
  const { trial, status, margins, limit, projection, report, logs, meanwhile } = answer;
  return [
    `trial ${trial}: ${status}${frontierText(answer)}`,
    ...scoreLines(answer),
    ...(answer.sizes === null ? [] : [sizeText(answer.sizes)]),
    ...phasesText(answer.phases),
    ...margins.map((margin) => `gate ${clip(marginText(margin), LINE)} (exact)`),
    ...(limit === null ? [] : [limitText(limit)]),
    ...(projection === null ? [] : [projectionText(projection)]),
    ...failureLines(answer),
    `lesson: ${clip(lessonText(answer), LESSON)}`,
    ...(report.length === 0
      ? []
      : [
          `evaluator${answer.parent === null ? '' : ` (in brackets: change against trial ${answer.parent})`}:`,
        ]),
    ...quoted(report),
    ...logs.flatMap(({ phase, lines }) => [`${phase} log, last ${lines.length} lines:`, ...quoted(lines)]),
    ...(meanwhile === null || meanwhile.length === 0 ? [] : ['meanwhile:', ...meanwhile.map(otherText)]),
    leftText(answer.left),
  ].join('\n');
}

const LINE = 200;
const LESSON = 1200;

function frontierText({ trial, frontier }: SubmitAnswer): string {
  if (frontier === null) return '';
  const { score, believed, before } = frontier;
  const known = [
    ...(score === null ? [] : [amount(score)]),
    ...(believed === null ? [] : [believedText(believed)]),
    ...(before === null ? [] : [`before: trial ${before.trial}, ${amount(before.score)}`]),
  ];
  const moved = frontier.trial === trial ? 'now ' : '';
  return `. The frontier is ${moved}trial ${frontier.trial}${known.length === 0 ? '' : ` (${known.join('; ')})`}`;
}

function scoreLines(answer: SubmitAnswer): string[] {
  const { score, unit, runs, noise, parent, parentScore, delta, expectedDelta, believed } = answer;
  const against =
    parent === null
      ? []
      : [
          `parent trial ${parent}${parentScore === null ? ', which has no score' : ` ${amount(parentScore)}`}`,
        ];
  if (score === null) return against;
  const facts = [
    `${runs} run${runs === 1 ? '' : 's'}`,
    ...(believed === null ? [] : [believedText(believed)]),
    ...(noise === null ? [] : [noiseText(noise)]),
    ...against,
    ...(expectedDelta === null ? [] : [`expected ${signed(expectedDelta)}`]),
    `delta ${delta === null ? 'unknown' : signed(delta)}`,
  ];
  return [`score ${amount(score)}${unit === '' ? '' : ` ${clip(unit, 40)}`} (${facts.join('; ')})`];
}

/** `runs of this family differ by about 0.002, from 3 runs`. */
export function noiseText({ sd, runs }: Noise): string {
  const from = runs === null ? '' : `, from ${runs} run${runs === 1 ? '' : 's'}`;
  return `runs of this family differ by about ${Number(sd.toPrecision(2))}${from}`;
}

function failureLines({ failure, progress }: SubmitAnswer): string[] {
  const lines: string[] = [];
  if (failure !== null) {
    const { phase, reason, place } = failure;
    lines.push(`failed in ${phase}: ${clip(reason, 400)}`);
    if (place !== null) lines.push(...quoted([placeText(place)], 400));
  }
  if (progress !== null)
    lines.push(
      `last progress: ${amount(progress.value)} at ${Math.round(progress.share * 100)} % of the training`,
    );
  return lines;
}

const placeText = ({ file, line, within, error }: FailurePlace): string =>
  `at ${file}:${line}${within === null ? '' : ` in ${within}`}${error === '' ? '' : `: ${error}`}`;

/** The lesson with what was expected and what moved. */
function lessonText({ lesson, expectedDelta, delta, moved }: SubmitAnswer): string {
  const expected = expectedDelta === null || delta === null ? [] : [expectationText(expectedDelta, delta)];
  return [lesson, ...expected, ...(moved === null ? [] : [movedText(moved)])].join('; ');
}

function otherText({ trial, role, status, score, hypothesis }: OtherTrial): string {
  const end =
    status === null ? 'runs' : `ended as ${status}${score === null ? '' : ` with ${amount(score)}`}`;
  return `  ${clip(role, 48)} trial ${trial} ${end}: ${clip(hypothesis, LINE)}`;
}

/** `trials left: 9, hours 3.1, dollars 6.20, accelerator seconds 812`; the offline proposer reads it. */
export function leftText({ trials, hours, dollars, acceleratorSeconds }: Left): string {
  return [
    `trials left: ${trials ?? 'not limited'}`,
    ...(hours === null ? [] : [`hours ${hours.toFixed(1)}`]),
    ...(dollars === null ? [] : [`dollars ${dollars.toFixed(2)}`]),
    ...(acceleratorSeconds === null ? [] : [`accelerator seconds ${Math.floor(acceleratorSeconds)}`]),
  ].join(', ');
}

/** Facts that a reader of `submitAnswer` can rely on. */
export interface SubmitReading {
  trial: number;
  status: ToldStatus;
  score: number | null;
  delta: number | null;
  /** null where the conversation is not told. */
  frontier: number | null;
  trialsLeft: number | null;
}

/** Reads an answer to a submit; null where the text is none. */
export function readSubmitAnswer(text: string): SubmitReading | null {
  const head = /^trial (\d+): ([a-z_]+)(?:\. The frontier is (?:now )?trial (\d+).*)?$/m.exec(text);
  const status = toldStatusSchema.safeParse(head?.[2]);
  if (head?.index !== 0 || !status.success) return null;
  return {
    trial: Number(head[1]),
    status: status.data,
    score: numberIn(/^score (\S+)/m, text),
    delta: numberIn(/^score .*; delta (\S+)\)$/m, text),
    frontier: head[3] === undefined ? null : Number(head[3]),
    trialsLeft: numberIn(/^trials left: (\d+)/m, text),
  };
}
