import { countedFiles, countedForm, type CountedForm } from '../domain/task/counted.js';
import { requiredFiles, shapeText } from '../domain/task/artifact.js';
import { markedName } from '../domain/task/marked-name.js';
import { trialLabel } from '../domain/keys.js';
import type { Gate } from '../domain/task/schema/gate.js';
import { decisionMeasure, type Measure, type Task } from '../domain/task/task.js';
import type { LineageMode } from '../domain/session/lineage-mode.js';
import type { LineageView } from '../domain/session/view.js';
import { packClock, trainClock, type PhaseClock } from '../domain/task/phase-clock.js';
import { amount } from './answers.js';
import { protocolText } from './prompt-parts/protocol.js';
import { lanesText, rulesText } from './prompt-parts/rules.js';
import { renderView } from './view/render-view.js';

/** Parts of a specialist's system prompt; frozen with the campaign, so equal for all sessions of a role. */
export interface SystemPromptParts {
  task: Task;
  role: string;
  /** The text of specialists/ROLE.md. */
  rolePrompt: string;
  /** Text of the task's authors for all roles. */
  knowledge: string;
  /** Seconds that the campaign allows training; null where it leaves that to the task. */
  trainSeconds: number | null;
  /** Turn cap of a session. */
  turns: number;
  /** Trials after which a session ends; null for no such cap. */
  sessionTrials: number | null;
  /** Roles of the campaign's lanes, one for each lane. */
  lanes: readonly string[];
  lineage: LineageMode;
}

/**
 * The system prompt of one role in two blocks: what is equal for all roles of a campaign, long enough to be cached by
 * itself, and then what is the role's own.
 */
export function systemPrompt(parts: SystemPromptParts): [shared: string, role: string] {
  const { task, role } = parts;
  const shared = [
    'You are a specialist in an automated research campaign. You improve a training recipe by editing its files and submitting trials.',
    section('Task', taskText(task)),
    section('Limits', limitsText(parts)),
    section('Serving', protocolText(task)),
    section('Rules', rulesText(task, parts.lineage)),
    section('Lanes of this campaign', lanesText(parts)),
    section('What is known', parts.knowledge.trim()),
  ];
  const own =
    `You are the specialist "${role}".\n\n${section(`Your role: ${role}`, parts.rolePrompt.trim())}`.trim();
  return [shared.filter((text) => text !== '').join('\n\n'), own];
}

/** A stored system prompt in its blocks; those of an earlier assay are one block. */
export function promptBlocks(system: string, roleStart: number | null): string[] {
  return roleStart === null ? [system] : [system.slice(0, roleStart).trimEnd(), system.slice(roleStart)];
}

/** The part of a system prompt that is the role's own; empty where there is none. */
export function roleSection(system: string): string {
  const start = /^# Your role: .*$/m.exec(system);
  if (start === null) return '';
  const rest = system.slice(start.index + start[0].length);
  const end = rest.indexOf('\n# What is known\n');
  return end === -1 ? rest : rest.slice(0, end);
}

function section(title: string, text: string): string {
  return text === '' ? '' : `# ${title}\n${text}`;
}

const betterOf = ({ direction }: Measure): string => (direction === 'minimize' ? 'lower' : 'higher');

function taskText(task: Task): string {
  const { metric, recipe } = task;
  const better = betterOf(metric);
  const limit = metric.limit === undefined ? '' : ` No score can be better than ${amount(metric.limit)}.`;
  const decides = decisionMeasure(task);
  const steered =
    decides.name === metric.name
      ? ''
      : `\nTrials are decided by ${markedName(decides)}, ${betterOf(decides)} is better.`;
  const guards = task.guards.map(
    ({ metric: name, margin }) => `\nGuard: ${name} may not worsen by more than ${amount(margin)}.`,
  );
  const knobs =
    recipe.knobs === 'marked'
      ? '\nNumeric knobs are marked "# knob: lo..hi [log]"; you may change any code, not only them.'
      : '';
  const single = task.replicate.deterministic
    ? '\nA recipe scores the same under every seed: each trial is run once, and one that changes nothing but a seed is not adopted.'
    : '';
  return `${task.title}\nScore: ${metric.name} in ${metric.unit}, ${better} is better.${limit}${steered}${guards.join('')}\nFiles that you may change: ${recipe.editable.join(', ')}. Paths are relative to the recipe. Everything else is read-only.${knobs}${single}`;
}

function limitsText({ task, trainSeconds, turns, sessionTrials }: SystemPromptParts): string {
  const { phases, resources } = task;
  const [training, packing] = [trainClock(task, trainSeconds), packClock(task, trainSeconds)];
  const timed = Object.entries({
    check: limitOf(phases.check),
    smoke: limitOf(phases.smoke),
    train: { run: phases.train.run, limitS: training.limitS },
    pack: phases.pack === undefined ? undefined : { run: phases.pack.run, limitS: packing.limitS },
    evaluate: limitOf(task.evaluate),
  });
  return [
    ...task.gates.map((gate) => `- gate ${gate.name}: ${gateText(gate)}, known after ${gate.known}`),
    ...(countedFiles(task.recipe).length === 0
      ? []
      : [
          `- files that count towards code size: ${countedFiles(task.recipe).join(', ')}${countedText(countedForm(task.recipe))}`,
        ]),
    ...(task.gates.some(({ metric }) => metric === 'bytes' || metric === 'code_bytes') ? [SIZES] : []),
    ...budgetLines('training', training),
    ...signalLines(task),
    ...budgetLines('packing', packing),
    ...timed.flatMap(([name, phase]) =>
      phase === undefined ? [] : [`- ${name}: \`${phase.run}\`, killed after ${amount(phase.limitS)} s`],
    ),
    `- ${resources.gpus > 0 ? `${resources.gpus} accelerator(s)` : `${resources.slots} slot(s)`} of pool ${resources.pool}, ${resources.memory_mb} MB memory, ${resources.disk_mb} MB disk, no network`,
    ...requiredFiles(task).map(
      ({ glob, declared }) =>
        `- the artifact must have ${glob}${declared === null ? '' : `: ${shapeText(declared)}, little-endian, every number finite`}`,
    ),
    `- this session: at most ${turns} turns${sessionTrials === null ? '' : ` and ${sessionTrials} trials`}; what you then leave in the note of finish is all that the next session of your role reads of this conversation`,
  ].join('\n');
}

/** Tells agents the words that a recipe has to say while it trains, and how often it is trained. */
function signalLines({ phases: { train, prewarm }, data, replicate }: Task): string[] {
  const { clock } = train;
  return [
    ...(clock?.from === 'ready'
      ? [
          `- training says ready (a line on the descriptor of ASSAY_SIGNAL_FD) within ${amount(clock.warmup_timeout_s ?? 0)} s, after it has compiled and warmed up on made-up data; then it is shown the data, answered by a line on ASSAY_GO_FD, and its clock starts`,
        ]
      : []),
    ...(data?.reveal === undefined
      ? []
      : [
          '- when it has trained it says trained in the same way, and is then shown the inputs in ASSAY_REVEAL; the clock runs on',
        ]),
    ...(replicate.processes > 1
      ? [`- each run trains ${replicate.processes} cold processes, each under a seed of its own`]
      : []),
    ...(prewarm === undefined
      ? []
      : [
          `- prewarm: \`${prewarm.run}\` fills the cache in ASSAY_CACHE before, on no clock, killed after ${amount(prewarm.timeout_s)} s`,
        ]),
  ];
}

function limitOf(
  phase: { run: string; timeout_s: number } | undefined,
): { run: string; limitS: number } | undefined {
  return phase === undefined ? undefined : { run: phase.run, limitS: phase.timeout_s };
}

function budgetLines(phase: string, { budget, warmupS }: PhaseClock): string[] {
  return budget === null
    ? []
    : [
        `- ${phase} budget: ${amount(budget.seconds)} s, measured outside the recipe from ${warmupS === undefined ? 'before it starts' : 'when it is ready'}`,
      ];
}

const MINIFIED = ', without comments and layout, which cost nothing';
const PACKED =
  ', each packed by the harness into a Python program that unpacks itself (raw LZMA2 in base 85): repetition costs little';

const countedText = ({ as, minified }: CountedForm): string =>
  (minified ? MINIFIED : '') + (as === 'raw' ? '' : PACKED);

const SIZES =
  '- sizes count names: each file by its bytes plus the UTF-8 length of its path plus 1, each folder of the artifact by that of its path plus 1';

function gateText(gate: Gate): string {
  const bounds = [
    ...(gate.max === undefined ? [] : [`at most ${amount(gate.max)}`]),
    ...(gate.min === undefined ? [] : [`at least ${amount(gate.min)}`]),
  ];
  return `${gate.metric} ${bounds.join(' and ')}${gate.test === 'statistical' ? ' (tested statistically)' : ''}`;
}

/** The line of an opening message that names the files; the offline proposer reads it. */
const FILES = 'Files that you may change: ';

/**
 * The first message of a session: where its workspace stands, and the lineage within a budget of tokens. `session`
 * names the session, so that lanes of one role do not open with the same words.
 */
export function openingMessage(
  view: LineageView,
  task: Task,
  tokenBudget: number,
  { session, charactersPerToken }: { session?: string; charactersPerToken?: number } = {},
): string {
  return [
    ...(session === undefined ? [] : [`Session ${session}.`]),
    `Your workspace is a copy of trial ${view.base} (${trialLabel(view.base)}), ${view.frontier === null ? 'the start' : 'the frontier'}.`,
    `${FILES}${task.recipe.editable.join(', ')}`,
    '',
    renderView(view, tokenBudget, charactersPerToken),
    '',
    'Read the recipe, then propose the change that you expect to help most.',
  ].join('\n');
}

/** The globs of editable files that an opening message names. */
export function editableIn(opening: string): string[] {
  const line = opening.split('\n').find((text) => text.startsWith(FILES));
  return line === undefined
    ? []
    : line
        .slice(FILES.length)
        .split(', ')
        .filter((glob) => glob !== '');
}

/** The trial on which an opening message says that the workspace stands. */
export function baseIn(opening: string): number | null {
  const base = /^Your workspace is a copy of trial (\d+) /m.exec(opening)?.[1];
  return base === undefined ? null : Number(base);
}
