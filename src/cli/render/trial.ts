import type {
  AttemptView,
  DecisionView,
  PhaseView,
  ReplicateView,
  TrialRecord,
} from '../../analysis/read-models/trial-record.js';
import { markedName } from '../../domain/task/marked-name.js';
import { trialLabel } from '../../domain/keys.js';
import { isMissed, type Margin } from '../../domain/task/gates.js';
import { labelText } from '../../domain/trial/labels.js';
import { isSlow } from '../../domain/trial/host-use.js';
import { budgetText, slowText } from '../../domain/trial/overrun.js';
import { projectionText } from '../../model/answers.js';
import { renderDiff } from './diff.js';
import { renderFailure } from './failure.js';
import { besideScore, comparisonLines, valueText } from './estimate.js';
import { bytes, duration, plainNumber, score, signed, withUnit } from './numbers.js';
import { onStdout, statusColour, wantsColour, type Paint } from './paint.js';
import { columns, fields } from './table.js';
import { clean, cut, indent, oneLine, plural, taskText } from './text.js';
import { deltaText } from './trials.js';

/** Everything about one trial. */
export function renderRecord(
  record: TrialRecord,
  { paint = onStdout, color = wantsColour(process.stdout) }: { paint?: Paint; color?: boolean } = {},
): string {
  const sections = [
    `${paint('bold', record.workflowId)}  ${paint(statusColour(record.status), record.status ?? record.stage)}`,
    fields(summary(record, paint)),
    ...failureSection(record, paint),
    ...numbersSection(record),
    ...record.replicates.map((replicate) => replicateSection(replicate, paint)),
    ...(record.feedback === ''
      ? []
      : [`${paint('bold', 'feedback of the evaluator')}\n${indent(clean(record.feedback), 2)}`]),
    diffSection(record, paint, color),
  ];
  return sections.join('\n\n');
}

function summary(record: TrialRecord, paint: Paint): [string, string][] {
  const { metric, session } = record;
  const expected =
    record.expectedDelta === null ? '' : `, expected ${withUnit(signed(record.expectedDelta), metric)}`;
  const from =
    session === null ? 'no session' : `session ${session.index ?? session.id}, turn ${session.turn ?? 0}`;
  const delta =
    record.delta === null ? '' : ` (${deltaText(record.delta, metric, paint)} against its parent${expected})`;
  const lines: [string, string][] = [
    ['hypothesis', clean(record.hypothesis)],
    ['score', `${withUnit(score(record.score), metric)}${delta || expected.replace(/^, /, ' ')}`],
    ...estimateLines(record),
    ...evaluationErrorLines(record),
    ['', paint('dim', `${markedName(metric)}, ${metric.direction}; ${record.remark}`)],
    ['why', clean(record.lesson || 'has not ended')],
    ...record.labels.map((label): [string, string] => ['label', `${label}: ${labelText(label)}`]),
    ['proposed by', `${record.role} (lane ${record.lane}, ${from})`],
    ...(record.domain === null ? [] : [['edit of', record.domain] satisfies [string, string]]),
    ['parent', record.parent ?? 'none'],
    ['task', taskText(record.task)],
    ['snapshot', record.snapshot.slice(0, 16)],
    ['isolation', isolationText(record)],
    [
      'submitted',
      `${record.submittedAt}${record.endedAt === null ? `, open for ${duration(record.elapsedMs)}` : `, ended after ${duration(record.elapsedMs)}`}`,
    ],
    ['workflow', record.workflowId],
  ];
  if (record.projection !== null) lines.push(['projected', projectionText(record.projection)]);
  if (record.duplicateOf !== null)
    lines.push(['duplicate of', `${record.duplicateOf}: nothing was run, its result is shown`]);
  if (record.cancelledBy !== null) lines.push(['cancelled', oneLine(record.cancelledBy)]);
  return [...lines, ...decisionLines(record)];
}

/** Lines on the estimates of the true score, the unselected ones first. */
function estimateLines({ estimate, comparison, metric }: TrialRecord): [string, string][] {
  if (comparison !== null) return comparisonLines(comparison, metric);
  const beside = besideScore(estimate, metric);
  return beside === '' ? [] : [['true score', beside]];
}

/** How far the evaluations themselves, by what they leave to chance, leave the score open. */
function evaluationErrorLines({ metric, replicates }: TrialRecord): [string, string][] {
  const squares = replicates.flatMap(({ purpose, standardErrors: { [metric.name]: error } }) =>
    purpose === 'search' && error !== undefined ? [error ** 2] : [],
  );
  if (squares.length === 0) return [];
  const error = Math.sqrt(squares.reduce((sum, square) => sum + square, 0)) / squares.length;
  return [
    ['evaluated to', `± ${withUnit(error.toPrecision(2), metric)} (standard error; a part of the noise)`],
  ];
}

function decisionLines({ decision, estimate, metric }: TrialRecord): [string, string][] {
  if (decision === null) return [];
  const { against, frontierScore, frontierVersion, adopt } = decision;
  const verdict = adopt ? 'adopted' : 'not adopted';
  const inputs =
    against === null
      ? `${withUnit(score(decision.score), metric)}, the first frontier`
      : `${score(decision.score)} against ${withUnit(score(frontierScore), metric)} of ${against} (frontier ${frontierVersion}), ${signed(decision.delta)}`;
  const { scores, noise, spread, gain, believed, veto } = decision;
  const lines: [string, string][] = [
    ['decision', `${verdict} by rule ${decision.rule} (version ${decision.version}): ${inputs}`],
  ];
  if (scores.length > 1) lines.push(['runs', scores.map((one) => score(one)).join(', ')]);
  lines.push([
    'noise',
    noise === null
      ? 'not known'
      : `${withUnit(noise.toPrecision(2), metric)} from run to run${spread === null ? '' : spreadText(spread)}`,
  ]);
  if (believed !== null) {
    const since = estimate?.from === 'fresh' ? 'before its claim' : 'when it was decided';
    const value = valueText({ mean: believed.mean, error: believed.sd });
    lines.push(['believed', `${withUnit(value, metric)}, ${since}`]);
  }
  if (gain !== null) lines.push(['expected gain', `${gain.toPrecision(3)} over ${against ?? ''}`]);
  if (veto !== null) lines.push(['veto', veto]);
  return lines;
}

function spreadText({ low, high, runs, trials, since }: NonNullable<DecisionView['spread']>): string {
  const [from, to] = [low, high].map((sd) => sd.toPrecision(2));
  return ` (${from} to ${to}; from ${plural(runs, 'run')} of ${plural(trials, 'trial')} since ${trialLabel(since)})`;
}

const TIER_E =
  'none (tier E): the recipe could do what its user can; time, memory and disk were only watched';

/** Describes the isolation that really held. */
function isolationText({ isolation, replicates }: TrialRecord): string {
  if (isolation === null) return replicates.length === 0 ? 'nothing of it was measured' : 'not known yet';
  const { tier, ...parts } = isolation;
  if (tier === 'E') return TIER_E;
  const by = (level: string): string =>
    Object.entries(parts)
      .filter(([, value]) => value === level)
      .map(([name]) => name)
      .join(', ');
  const groups = ['enforced', 'advisory', 'none', 'closed', 'bounded', 'open']
    .map((level) => [level, by(level)])
    .filter(([, names]) => names !== '');
  return `tier ${tier}: ${groups.map(([level, names]) => `${level ?? ''}: ${names ?? ''}`).join('; ')}`;
}

function failureSection({ failure }: TrialRecord, paint: Paint): string[] {
  return failure === null ? [] : [renderFailure(failure, paint)];
}

/** The value of a gate's metric, and by how much it is met or missed. */
export function gateText(margin: Margin): string {
  const { metric, value, side, limit } = margin;
  return `${metric} is ${plainNumber(value)}, ${side === 'max' ? 'at most' : 'at least'} ${plainNumber(limit)} is allowed: ${marginText(margin)}`;
}

function marginText(margin: Margin): string {
  const { over, doubt } = margin;
  const error = doubt === undefined ? '' : ` ± ${plainNumber(doubt.standardError)}`;
  if (over === 0 && doubt === undefined) return 'met exactly';
  if (over > 0) return `missed by ${plainNumber(over)}${error}${isMissed(margin) ? '' : ', maybe by chance'}`;
  return `met by ${plainNumber(-over)}${error}${isMissed(margin) ? ', too little to be sure' : ''}`;
}

function numbersSection({ metrics, margins, recipeReported }: TrialRecord): string[] {
  const markOf = (name: string): string =>
    markedName({ name, ...(recipeReported.includes(name) ? { recipeReported: true } : {}) });
  const sections: string[] = [];
  const names = Object.keys(metrics).sort();
  if (names.length > 0)
    sections.push(
      `metrics\n${indent(fields(names.map((name) => [markOf(name), plainNumber(metrics[name] ?? 0)])), 2)}`,
    );
  if (margins.length > 0)
    sections.push(
      `gates\n${indent(
        columns(
          [
            { title: 'GATE' },
            { title: 'METRIC' },
            { title: 'VALUE', right: true },
            { title: 'LIMIT', right: true },
            { title: 'MARGIN' },
          ],
          margins.map((margin) => [
            margin.gate,
            margin.metric,
            plainNumber(margin.value),
            `${margin.side === 'max' ? '≤' : '≥'} ${plainNumber(margin.limit)}`,
            marginText(margin),
          ]),
        ),
        2,
      )}`,
    );
  return sections;
}

/** Place of an artifact, where it is not in the store. */
function artifactPlace({ stored, host, gone }: NonNullable<ReplicateView['artifact']>): string {
  if (!stored) return ', not stored';
  if (host === null) return '';
  return gone ? `, gone with its host ${host}` : `, kept on ${host}`;
}

function replicateSection(replicate: ReplicateView, paint: Paint): string {
  const { worksNow, artifact } = replicate;
  const title = `${paint('bold', `replicate ${replicate.index}`)} (${replicate.purpose}) on ${replicate.hostClass}`;
  const seed = replicate.seed === null ? 'hidden until the campaign has ended' : String(replicate.seed);
  const lines: [string, string][] = [['seed', seed]];
  if (artifact !== null)
    lines.push([
      'artifact',
      `${artifact.digest.slice(0, 16)}, ${bytes(artifact.bytes)} in ${artifact.files} files${artifactPlace(artifact)}`,
    ]);
  for (const [name, error] of Object.entries(replicate.standardErrors))
    lines.push([
      name,
      `${plainNumber(replicate.metrics[name] ?? 0)}, standard error ${error.toPrecision(2)}`,
    ]);
  if (worksNow !== null) lines.push(['now', `${worksNow.what} on ${worksNow.host} since ${worksNow.since}`]);
  for (const { kind, phase, trial, acceleratorMs } of replicate.saved)
    lines.push([
      'saved',
      `${duration(acceleratorMs)} of ${phase}: ${kind === 'stop' ? 'stopped early' : `taken from ${trial === null ? 'an earlier trial' : trialLabel(trial)}`}`,
    ]);
  if (replicate.sharesTraining !== null)
    lines.push(['shares', 'the training of that trial, and so its noise']);
  const parts = [title, indent(fields(lines), 2)];
  if (replicate.phases.length > 0) parts.push(indent(phaseTable(replicate.phases), 2));
  parts.push(...replicate.infra.map((attempt) => `  ${attemptText(attempt)}`));
  return parts.join('\n');
}

function phaseTable(phases: readonly PhaseView[]): string {
  return columns(
    [
      { title: 'PHASE' },
      { title: 'WALL', right: true },
      { title: 'CPU', right: true },
      { title: 'PEAK MEMORY', right: true },
      { title: 'LOG', right: true },
      { title: 'TIER' },
    ],
    phases.map((run) => [
      phaseText(run),
      duration(run.wallMs),
      run.cpuMs === null ? '–' : duration(run.cpuMs),
      bytes(run.peakRssBytes),
      bytes(run.logBytes),
      tierText(run),
    ]),
  );
}

function phaseText(run: PhaseView): string {
  const { phase, process, warmupMs, revealMs, reusedFrom, startMs, pair, repeated } = run;
  const used = budgetText(run);
  const notes = [
    ...(used === null ? slowText(run) : [used]),
    ...(isSlow(run) && run.load !== null ? [`load ${run.load} a processor`] : []),
    ...(repeated ? ['an overrun on a slow host, measured again'] : []),
    ...(reusedFrom === null ? [] : [`of ${trialLabel(reusedFrom)}`]),
    ...(warmupMs === null ? [] : [`after a warm-up of ${duration(warmupMs)}`]),
    ...(revealMs === null ? [] : [`of which ${duration(revealMs)} with the revealed inputs`]),
    ...(startMs === null
      ? []
      : [`the start beside it ${duration(startMs)}${pair?.first === 'start' ? ', measured first' : ''}`]),
    ...run.devices.map(deviceText),
  ];
  const name = process === null ? phase : `${phase} ${process}`;
  return notes.length === 0 ? name : `${name} (${notes.join(', ')})`;
}

/** `GPU-5d3…: 71 % busy, peak 11.2 GiB, 1755 MHz (least 1410)`. */
function deviceText({
  uuid,
  utilisation,
  peakMemoryBytes,
  clockMhz,
  throttled,
}: PhaseView['devices'][number]): string {
  const said = [
    ...(utilisation === null ? [] : [`${Math.round(100 * utilisation)} % busy`]),
    `peak ${bytes(peakMemoryBytes)}`,
    ...(clockMhz === null ? [] : [`${clockMhz.mean} MHz (least ${clockMhz.least})`]),
    ...(throttled.length === 0 ? [] : [`slowed down by ${throttled.join(' and ')}`]),
  ];
  return `${oneLine(uuid)}: ${said.join(', ')}`;
}

/** The evaluator belongs to the task and is trusted, so nothing has to hold it. */
function tierText({ phase, isolation }: PhaseView): string {
  return phase === 'evaluate' ? `${isolation.tier} (the task's own program)` : isolation.tier;
}

function attemptText({ attempt, what, reason, host, at, interrupted }: AttemptView): string {
  const kind = interrupted ? 'cut short' : 'infra';
  return `${kind}: attempt ${attempt} (${what}) on ${host}, ${at}: ${cut(oneLine(reason), 160)}`;
}

function diffSection({ diff, parent }: TrialRecord, paint: Paint, color: boolean): string {
  if (diff === '')
    return parent === null ? 'the start recipe: there is no diff' : `no difference to its parent ${parent}`;
  return `${paint('bold', `diff against ${parent ?? 'nothing'}`)} (computed from what is stored)\n${renderDiff(diff, color)}`;
}
