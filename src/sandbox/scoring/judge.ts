import type { Evaluation } from '../../domain/trial/evaluation.js';
import { describeEnding } from '../describe-ending.js';
import type { RunResult } from '../run.js';
import type { Bridge } from './bridge.js';
import { LARGEST_RESULT, readEvaluation } from './evaluation-result.js';

/** Result of a scoring. */
export interface Scored {
  /** The evaluator's answer, if it is usable. A `failure` in it is the recipe's, with blame `none`. */
  evaluation: Evaluation | null;
  /** Notes on parts of the answer that were ignored or cut, a line each; the evaluator's log has them as well. */
  notes: string[];
  /** The text on the result descriptor, its first MiB. */
  rawResult: string;
  evaluatorRun: RunResult;
  serverRun: RunResult | null;
  /** From the evaluator's start to the server's first answer; null when there was none. */
  greetedMs: number | null;
  /** Time for which the first server owed an answer, from a whole request to a whole answer, hello and bye apart; null
   * without a server. */
  owedMs: number | null;
  /** Null without a twin, and when it was not needed any more. */
  twinRun: RunResult | null;
  /** The one of `serverRun` and `twinRun` that is to blame; null where neither is. */
  blamedRun: RunResult | null;
  /** recipe: its server crashed, left or was late; evaluator: it gave no usable answer though it could have. */
  blame: 'none' | 'recipe' | 'evaluator';
  /** With blame `recipe`: whether it was out of time rather than broken. */
  late: boolean;
  /** In words; empty with blame `none`, `cancelled` when it was. */
  reason: string;
}

/** A server, as the evaluator and the system saw it. */
export interface Side {
  bridge: Bridge;
  run: RunResult;
}

/** Finds what a scoring has come to, and who is to blame where it has come to nothing. */
export function judge(evaluatorRun: RunResult, rawResult: string, sides: readonly Side[]): Scored {
  const [server, twin] = sides;
  const base = {
    evaluation: null,
    notes: [],
    rawResult: rawResult.slice(0, LARGEST_RESULT),
    evaluatorRun,
    serverRun: server?.run ?? null,
    greetedMs: server?.bridge.greetedMs ?? null,
    owedMs: server?.bridge.owedMs ?? null,
    twinRun: twin?.run ?? null,
    blamedRun: null,
    late: false,
  };
  const { ending } = evaluatorRun;
  if (ending.kind === 'cancelled') return { ...base, blame: 'none', reason: 'cancelled' };
  // an evaluator that has refused an answer says more of it
  const refused = ending.kind === 'exited' && ending.code === 0 && isRefusal(rawResult);
  for (const side of sides) {
    const fault = (refused ? null : protocolFault(side)) ?? faultOf(side, ending);
    if (fault !== null) return { ...base, ...fault, blame: 'recipe', blamedRun: side.run };
  }
  if (ending.kind !== 'exited' || ending.code !== 0) {
    return { ...base, blame: 'evaluator', reason: `the evaluator ${describeEnding(ending)}` };
  }
  const read = readEvaluation(rawResult);
  if ('fault' in read) return { ...base, blame: 'evaluator', reason: read.fault };
  const told = { ...evaluatorRun, log: withNotes(evaluatorRun.log, read.notes) };
  const { evaluation, notes } = read;
  return { ...base, evaluatorRun: told, evaluation, notes, blame: 'none', reason: '' };
}

/** Adds what assay has to say of an answer, for whoever reads the evaluator's log. */
function withNotes(log: string, notes: readonly string[]): string {
  if (notes.length === 0) return log;
  const said = log === '' || log.endsWith('\n') ? log : `${log}\n`;
  return `${said}${notes.map((note) => `assay: ${note}\n`).join('')}`;
}

interface ServerFault {
  reason: string;
  late: boolean;
}

function isRefusal(rawResult: string): boolean {
  const read = readEvaluation(rawResult);
  return 'evaluation' in read && 'failure' in read.evaluation;
}

/** Finds the fault of a server in the stream of its answers, whatever its evaluator made of that. */
const protocolFault = ({ bridge }: Side): ServerFault | null =>
  bridge.garbled ? { reason: 'protocol: what the server sent is no frame', late: false } : null;

/** Finds the fault of a server from the way it ended, or from its silence. */
function faultOf({ bridge, run }: Side, ending: RunResult['ending']): ServerFault | null {
  if (bridge.startedLate) {
    const reason = `late: the server did not answer within its ${bridge.startupS} s to start`;
    return { reason, late: true };
  }
  if (bridge.leftEarly) {
    const byItself = run.ending.kind === 'exited' || run.ending.kind === 'signalled';
    if (bridge.cutOff && byItself)
      return { reason: 'protocol: the server left in the middle of an answer', late: false };
    const late = run.ending.kind === 'limit' && run.ending.limit === 'wall';
    // with which code it left is its own choice, and would tell agents what it has seen
    return { reason: `the server ended early: ${earlyEnd(run.ending)}`, late };
  }
  if (ending.kind === 'limit' && ending.limit === 'wall' && bridge.owes) {
    const reason = `late: the server owed an answer when the ${ending.allowed} s of the evaluation were over`;
    return { reason, late: true };
  }
  return null;
}

const earlyEnd = (ending: RunResult['ending']): string =>
  ending.kind === 'exited' || ending.kind === 'signalled' ? 'it left' : describeEnding(ending);
