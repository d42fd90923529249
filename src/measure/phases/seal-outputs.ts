import type { Failure } from '../../domain/trial/outcome.js';
import type { Sealed } from '../../sandbox/sealing/seal.js';
import { SealRefused } from '../../sandbox/sealing/seal-refused.js';

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
