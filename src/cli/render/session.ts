import type {
  CallView,
  ProbeView,
  SessionModel,
  SessionSummary,
  TurnView,
} from '../../analysis/read-models/session.js';
import type { WebUse } from '../../domain/session/web-uses.js';
import { integer, usd } from './numbers.js';
import { onStdout } from './paint.js';
import { columns, fields } from './table.js';
import { clean, indent, oneLine, plural } from './text.js';

/** Lines of a text that are shown where nobody asks for all of it. */
const SHOWN_LINES = 12;

/** Conversations in lines, in their order. */
export function renderSessions(sessions: readonly SessionSummary[]): string {
  if (sessions.length === 0) return 'no sessions';
  return columns(
    [
      { title: 'SESSION' },
      { title: 'ROLE' },
      { title: 'BASE' },
      { title: 'SUBMITTED' },
      { title: 'OPENED' },
      { title: 'ENDED' },
    ],
    sessions.map(({ session, role, base, submitted, openedAt, closedBecause }) => [
      session,
      role,
      base,
      submitted.join(', '),
      openedAt.slice(0, 19).replace('T', ' '),
      closedBecause === null ? 'runs' : oneLine(closedBecause),
    ]),
  );
}

/** Renders the head of a conversation, and the lineage that it began with. */
export function renderHead(
  { session, role, base, openedAt, system, view }: SessionModel,
  full: boolean,
): string {
  return [
    onStdout('bold', session),
    fields([
      ['role', role],
      ['base', base],
      ['opened', openedAt],
      ['prompt', `${integer(system.length)} characters; \`--json\` has it as \`system\``],
    ]),
    '',
    onStdout('bold', 'what it saw of the lineage'),
    shown(view, full),
  ].join('\n');
}

/** Each turn as a text of its own. */
export function renderTurns(turns: readonly TurnView[], full: boolean): string[] {
  return turns.map((turn) => turnText(turn, full));
}

/** Renders the end of a conversation, its cost and its notes. */
export function renderSum(model: SessionModel): string {
  const { closedAt, closedBecause, submitted, notes, probes, turns, ...cost } = model;
  const sum = fields([
    ['ended', closedAt === null ? 'it runs' : `${closedAt}: ${oneLine(closedBecause ?? 'no reason told')}`],
    ['submitted', submitted.length === 0 ? 'nothing' : submitted.join(', ')],
    ['cost', `${plural(turns.length, 'turn')}, ${costText(cost)}`],
  ]);
  return [
    sum,
    ...probes.map(probeText),
    ...notes.map((note) => `${onStdout('bold', 'note')}\n${indent(clean(note), 2)}`),
  ].join('\n');
}

const probeText = ({ kind, hypothesis, command, ended }: ProbeView): string =>
  `${onStdout('bold', kind)} ${oneLine(command)}: ${oneLine(ended)}${hypothesis === '' ? '' : ` (${oneLine(hypothesis)})`}`;

function turnText(
  { turn, attempts, model, stopReason, text, calls, web, usage, ...cost }: TurnView,
  full: boolean,
): string {
  const lost = attempts > 1 ? `, ${plural(attempts - 1, 'request')} lost before` : '';
  const tokens =
    usage === null
      ? []
      : [
          `${integer(usage.inputTokens + usage.cacheWriteTokens)} tokens in, ${integer(usage.cacheReadTokens)} from the cache, ${integer(usage.outputTokens)} out`,
        ];
  const spent = cost.microUsd === null ? [] : [costText({ ...cost, microUsd: cost.microUsd })];
  const about = [
    model === null ? 'no reply yet' : `${model}, ${stopReason ?? ''}${lost}`,
    ...tokens,
    ...spent,
  ];
  return [
    `${onStdout('bold', `turn ${turn}`)}  ${about.map(oneLine).join('; ')}`,
    ...(text === '' ? [] : [shown(text, full)]),
    ...web.map(webText),
    ...calls.map((call) => callText(call, full)),
  ].join('\n');
}

function webText({ tool, asked, addresses }: WebUse): string {
  const found = addresses.length === 0 ? 'no address' : addresses.map(oneLine).join('\n');
  return `${onStdout('cyan', tool)} ${oneLine(asked)}\n${indent(found, 2)}`;
}

function callText({ tool, input, answer }: CallView, full: boolean): string {
  const answered =
    answer === null
      ? 'no answer yet'
      : `${answer.isError ? onStdout('red', 'error') : 'answer'}:\n${shown(answer.text, full)}`;
  return `${onStdout('cyan', oneLine(tool))}\n${shown(inputText(input), full)}\n${indent(answered, 2)}`;
}

/** A field a line, texts of several lines below their name. */
function inputText(input: unknown): string {
  if (input === null || typeof input !== 'object') return JSON.stringify(input);
  return Object.entries(input)
    .map(([name, value]) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      return text.includes('\n') ? `${name}:\n${indent(text, 2)}` : `${name}: ${text}`;
    })
    .join('\n');
}

function shown(text: string, full: boolean): string {
  const lines = clean(text).trimEnd().split('\n');
  const kept = full || lines.length <= SHOWN_LINES + 1 ? lines : lines.slice(0, SHOWN_LINES);
  const rest = lines.length - kept.length;
  return indent([...kept, ...(rest > 0 ? [`… ${plural(rest, 'line')} more (--full)`] : [])].join('\n'), 2);
}

function costText({ microUsd, unknownMicroUsd }: { microUsd: number; unknownMicroUsd: number }): string {
  const doubt = unknownMicroUsd > 0 ? `, of it up to ${usd(unknownMicroUsd)} for lost requests` : '';
  return `${usd(microUsd)}${doubt}`;
}
