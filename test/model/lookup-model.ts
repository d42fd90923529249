import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { z } from 'zod';
import { EDIT_TOOL } from '../../src/model/tools/workspace.js';
import { LOOKUP } from '../fixtures/tiny.js';
import { startScriptedServer, use, type ScriptedServer, type ScriptStep } from './scripted-server.js';

/** The edit after which a recipe is much better and its runs are much more alike. */
export const LARGE = 'large';
export const GAIN = 'gain-';
export const NOTHING = 'nothing-';

const tableSchema = z.object({
  start: z.object({ score: z.number(), sd: z.number() }),
  edits: z.record(z.string(), z.object({ effect: z.number(), sd: z.number().optional() })),
});
/** Knowledge of the evaluator of the task `lookup`: true scores, and standard deviations of a run. */
export type LookupTable = z.infer<typeof tableSchema>;

/** Reads the table beside the evaluator. */
export async function lookupTable(): Promise<LookupTable> {
  const text = await readFile(join(LOOKUP, 'evaluator/table.json'), 'utf8');
  return tableSchema.parse(JSON.parse(text));
}

/** The edits that the text of a recipe lists. */
export const editsIn = (table: LookupTable, recipe: string): string[] =>
  recipe.split(/\s+/).filter((line) => line in table.edits);

/** The true score of a recipe with these edits. */
export const trueScore = (table: LookupTable, edits: readonly string[]): number =>
  edits.reduce((score, edit) => score + (table.edits[edit]?.effect ?? 0), table.start.score);

/** All edits of the table: the large one first, the others in an order drawn from a seed. */
export function shuffledEdits(table: LookupTable, seed: number): string[] {
  const bits = xoroshiro128plus(seed);
  const left = Object.keys(table.edits).filter((edit) => edit !== LARGE);
  const order = [LARGE];
  while (left.length > 0) order.push(...left.splice(uniformInt(bits, 0, left.length - 1), 1));
  return order;
}

/** Session, as the opening message names it. */
const SESSION = /Session (\S+)\/[^/\s]+\/(\d+)\./;

/**
 * A Messages API that proposes one edit a session, on top of the frontier as it is then, and ends the session.
 * @param editsFor the edits of a campaign in the order in which its one lane proposes them
 */
export function startLookupModel(editsFor: (campaign: string) => readonly string[]): Promise<ScriptedServer> {
  const step: ScriptStep = ({ body }) => {
    const [, campaign = '', index] = SESSION.exec(JSON.stringify(body.messages)) ?? [];
    const edit = editsFor(campaign)[Number(index)];
    const finish = use('finish', { note: '' });
    if (edit === undefined) return { blocks: [finish] };
    const change = { command: 'insert', path: 'edits', insert_line: 1, insert_text: `${edit}\n` };
    const submit = { hypothesis: edit, expected_delta: 0 };
    return { blocks: [use(EDIT_TOOL, change), use('submit_trial', submit), finish] };
  };
  return startScriptedServer(Array.from({ length: 100_000 }, () => step));
}
