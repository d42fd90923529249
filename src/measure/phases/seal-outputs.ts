import type { Task } from '../../domain/task/task.js';
import { requiredFiles } from '../../domain/task/artifact.js';
import { matchesGlob } from '../../domain/text/paths.js';
import type { Failure } from '../../domain/trial/outcome.js';
import type { Sealed } from '../../sandbox/sealing/seal.js';
import { SealRefused } from '../../sandbox/sealing/seal-refused.js';
import { arrayFault } from './declared-arrays.js';

/** Outputs of a recipe, or the reason why they cannot be taken. */
export type SealedOutputs = { sealed: Sealed; refused: null } | { sealed: null; refused: Failure };

/** Waits for a seal. What the recipe can cause is its failure; errors of the host are thrown. */
export async function sealedOrRefused(sealing: Promise<Sealed>): Promise<SealedOutputs> {
  try {
    return { sealed: await sealing, refused: null };
  } catch (error) {
    if (!(error instanceof SealRefused)) throw error;
    return { sealed: null, refused: refusalFailure(error) };
  }
}

/** A link, a device or a foreign file is a violation; what is missing, closed or too much is a crash. */
export function refusalFailure({ kind, message, limit }: SealRefused): Failure {
  const status = kind === 'irregular' || kind === 'outside' ? 'violation' : 'crash';
  return { status, phase: 'seal', reason: message, limit, tail: '' };
}

/** Names in a message about an artifact. */
const NAMED = 5;

/**
 * The failure of an artifact in `folder`, or of what one of several processes left there, that is not what the
 * evaluator reads: that is not the evaluator's fault. Null
 * where it has everything that the task names, as it is declared, and, where scoring is direct, any file.
 */
export async function artifactFailure(
  task: Pick<Task, 'scoring' | 'evaluate'>,
  sealed: Sealed,
  folder: string,
): Promise<Failure | null> {
  const missing = missingReason(task, sealed);
  if (missing !== null) return crashOf(missing);
  for (const { declared } of requiredFiles(task)) {
    const fault = declared === null ? null : await arrayFault(folder, sealed, declared);
    if (fault !== null) return crashOf(`the artifact is not what task.yaml declares: ${fault}`);
  }
  return null;
}

function missingReason(task: Pick<Task, 'scoring' | 'evaluate'>, { files }: Sealed): string | null {
  const missing = requiredFiles(task).find(
    ({ glob }) => !files.some(({ path }) => matchesGlob(path, [glob])),
  );
  if (missing === undefined && (files.length > 0 || task.scoring === 'served')) return null;
  const names = files.slice(0, NAMED).map(({ path }) => path);
  const found = `${names.join(', ')}${files.length > NAMED ? ` and ${files.length - NAMED} more` : ''}`;
  return files.length === 0
    ? 'the artifact has no file: nothing was written to ASSAY_OUTPUT'
    : `the artifact has no ${missing?.glob ?? 'file'}, which the evaluator reads; it has ${found}`;
}

const crashOf = (reason: string): Failure => ({
  status: 'crash',
  phase: 'seal',
  reason,
  limit: null,
  tail: '',
});
