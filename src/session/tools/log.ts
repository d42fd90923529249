import { searchInSlices } from '../../domain/text/search.js';
import type { PhaseRun } from '../../lineage/documents/phase-run.js';
import type { TrialDocument } from '../../lineage/documents/trial.js';
import type { Lineage } from '../../lineage/lineage.js';
import type { InspectCall } from '../../model/tools/inspect.js';
import { refused, said, type Answer, type CallContext } from './answer.js';
import { inTurns } from './edit.js';
import { wholeLines } from './whole-lines.js';

/** Characters of a log that one answer shows. */
const SHOWN = 16_000;
/** The same of a run that has seen inputs on which it is scored, of which nothing is searched. */
const SHOWN_REVEALED = 3000;

/** A log that agents may read. */
interface PhaseLog {
  phase: string;
  text: string;
  /** True where its process has seen inputs that are revealed after training. */
  revealed: boolean;
}

/** Shows what a phase of a trial printed. Evaluations see held-out data, so that agents never read what they print. */
export async function readLog(
  context: CallContext,
  { trial: number, phase, lines, pattern }: Extract<InspectCall, { tool: 'log' }>,
): Promise<Answer> {
  const trial = await context.trials.get(number);
  if (trial === null) return refused(context, `There is no trial ${number}.`);
  const runs = await trainedRuns(context.lineage, trial);
  const phases = [
    ...new Set([
      ...runs.map((run) => run.phase),
      ...(trial.preflight === null ? [] : [trial.preflight.phase]),
    ]),
  ];
  const log = await logOf(context.lineage, trial, runs, phase);
  if (log === null) {
    const there = phases.length === 0 ? 'it has none yet' : `there are ${phases.join(', ')}`;
    return refused(
      context,
      `Trial ${number} has no log${phase === null ? '' : ` of "${phase}"`} that agents may read; ${there}.`,
    );
  }
  const head = `log of ${log.phase} of trial ${number}`;
  if (pattern !== null && log.revealed)
    return refused(
      context,
      `The ${head} cannot be searched: its process saw revealed inputs. Read its last lines.`,
    );
  if (pattern !== null) {
    const found = await inTurns(searchInSlices(new Map([[log.phase, log.text]]), pattern));
    if ('error' in found) return refused(context, found.error);
    return said(context, `${head}:\n${found.text}`);
  }
  return said(context, `${head}, ${tail(log, lines)}`);
}

/** The last lines of a log that fit, with how many there are in all. */
function tail({ text, revealed }: PhaseLog, lines: number): string {
  const all = text.trimEnd().split('\n');
  const room = revealed ? SHOWN_REVEALED : SHOWN;
  const newestFirst = all.slice(-lines).reverse();
  const kept = wholeLines(newestFirst, room).text.split('\n').reverse();
  return `last ${kept.length} of ${all.length} lines:\n${kept.join('\n')}`;
}

async function trainedRuns(lineage: Lineage, { replicates }: TrialDocument): Promise<PhaseRun[]> {
  const found = await lineage.replicates.many(replicates);
  return found.sort((a, b) => a.index - b.index).flatMap(({ trained }) => trained?.runs ?? []);
}

async function logOf(
  lineage: Lineage,
  { preflight }: TrialDocument,
  runs: readonly PhaseRun[],
  phase: string | null,
): Promise<PhaseLog | null> {
  const run = runs.findLast((one) => phase === null || one.phase === phase);
  if (run !== undefined)
    return { phase: run.phase, text: await lineage.blobs.text(run.log), revealed: run.revealMs !== null };
  if (preflight === null || (phase !== null && preflight.phase !== phase)) return null;
  return { phase: preflight.phase, text: preflight.tail, revealed: false };
}
