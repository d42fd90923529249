import { AssayError } from '../domain/errors.js';
import { describeEnding } from '../sandbox/describe-ending.js';
import { endedWell } from '../sandbox/process/trusted-command.js';
import { openSandbox, type RunRequest, type Runtime, type Sandbox } from '../sandbox/sandbox.js';
import { DESCRIBE_PYTHON, describedIn, identityOf, nameOf, type Interpreter } from './interpreter.js';
import type { Python } from './python.js';
import { requireHidden } from './python-folders.js';

const MIB = 1024 * 1024;
const LIMITS = { wallS: 60, memoryBytes: 1024 * MIB, diskBytes: MIB, logBytes: MIB, processes: 16 };

let asked = 0;

/** Environment that every program of a task gets for its Python; `tmp` is a folder of its own. */
export function givenFor(
  { folders, env }: Pick<Python, 'folders' | 'env'>,
  tmp: string,
): Pick<RunRequest, 'readable' | 'env'> {
  return { readable: [...folders], env: { ...env, HOME: tmp, TMPDIR: tmp } };
}

/**
 * Makes sure that a Python may be used where phases run: it shows them nothing of `hidden`, and is the evaluator's too.
 * @throws AssayError PYTHON_UNAVAILABLE
 */
export async function requireUsable(
  sandbox: Sandbox,
  python: Python,
  hidden: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  if (sandbox.isolation.fs === 'enforced') await requireHidden(python.folders, hidden);
  await requireSamePython(sandbox, python, signal);
}

/**
 * Makes sure that servers, in a root of their own, run the very Python of phases and evaluator.
 * @throws AssayError PYTHON_UNAVAILABLE
 */
export async function requireServable(
  sandbox: Sandbox,
  python: Pick<Python, 'folders' | 'env' | 'identity'>,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<void> {
  const servers = await answerIn(sandbox, 'servers', { ...python, runtime }, signal);
  if (identityOf(servers) === python.identity) return;
  const phases = await answerIn(sandbox, 'phases', python, signal);
  throw new AssayError(
    'PYTHON_UNAVAILABLE',
    `phases would run ${nameOf(phases)}, and servers ${nameOf(servers)}${difference(servers, phases)}`,
    { remedy: 'Name what it needs beside its own prefix in `runtime: { paths: […] }` of task.yaml.' },
  );
}

/**
 * Runs `python` once as phases run it and once as the evaluator does, and compares what answers.
 * @throws AssayError PYTHON_UNAVAILABLE when it is not the same interpreter with the same packages
 */
export async function requireSamePython(
  sandbox: Sandbox,
  python: Pick<Python, 'folders' | 'env' | 'identity'>,
  signal: AbortSignal,
): Promise<void> {
  const evaluators = await openSandbox({ tier: 'E' });
  const phases = await answerIn(sandbox, 'phases', python, signal);
  const evaluator = await answerIn(evaluators, 'the evaluator', python, signal);
  const all = new Set([identityOf(phases), identityOf(evaluator), python.identity]);
  if (all.size === 1) return;
  throw new AssayError(
    'PYTHON_UNAVAILABLE',
    `phases would run ${nameOf(phases)}, and the evaluator ${nameOf(evaluator)}${difference(phases, evaluator)}`,
    { remedy: 'Name one interpreter, with all that it imports below its own prefix, in ASSAY_PYTHON.' },
  );
}

async function answerIn(
  sandbox: Sandbox,
  who: string,
  { runtime, ...python }: Pick<Python, 'folders' | 'env'> & { runtime?: Runtime },
  signal: AbortSignal,
): Promise<Interpreter> {
  const given = givenFor(python, '/tmp');
  const result = await sandbox.run({
    id: `python-${process.pid}-${(asked += 1)}`,
    command: DESCRIBE_PYTHON,
    cwd: '/',
    writable: [],
    ...given,
    ...(runtime === undefined ? {} : { runtime, readable: [] }),
    limits: LIMITS,
    signal,
  });
  signal.throwIfAborted();
  const { ending, log } = result;
  const answer = endedWell(result) ? describedIn(log) : null;
  if (answer !== null) return answer;
  const said = `${who} cannot run python: it ${describeEnding(ending)}: ${log.trim().slice(-300)}`;
  throw new AssayError(ending.kind === 'exited' ? 'PYTHON_UNAVAILABLE' : 'HOST_FAULT', said);
}

/** The first thing that only one of them has, in words; empty where their names tell them apart already. */
function difference(phases: Interpreter, evaluator: Interpreter): string {
  if (nameOf(phases) !== nameOf(evaluator)) return '';
  const unseen = phases.broken.find((each) => !evaluator.broken.includes(each));
  if (unseen !== undefined) return `: a phase cannot see where the link ${unseen} leads`;
  const seen = (of: Interpreter): string[] => [...of.paths, ...of.hooked, ...of.packages];
  const lost = seen(evaluator).find((each) => !seen(phases).includes(each));
  if (lost !== undefined) return `, which alone has ${lost}`;
  const more = seen(phases).find((each) => !seen(evaluator).includes(each));
  return more === undefined ? ', whose builds or search paths differ' : `, which lacks ${more}`;
}
