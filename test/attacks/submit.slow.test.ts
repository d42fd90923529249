import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { assay } from '../workflows/command-lines.js';
import { Arena } from './arena.js';
import { isRun, NAP, PRELUDE, type Attack, type Outcome } from './attack.js';
import { storedText } from './stored.js';
import { ATTACKS } from './table.js';

/** One of each kind: a forged score, a link and a NaN for an artifact, the host's means, secrets. */
const NAMES = ['prints-score', 'link-outside', 'fork-bomb', 'environment'] as const;
const NOT_A_NUMBER: Pick<Attack, 'name' | 'code'> & { expected: Outcome } = {
  name: 'an artifact that is not a number',
  code: `put("x.json", '{"x": NaN}')`,
  expected: { ends: ['crash'], phase: 'evaluate' },
};

const answerSchema = z.looseObject({
  schema: z.literal('assay.trial/1'),
  status: z.string(),
  score: z.number().nullable(),
  failure: z
    .looseObject({ phase: z.string(), limit: z.looseObject({ name: z.string() }).nullable() })
    .nullable(),
});

let arena: Arena;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-submitted-'));
  arena = await Arena.open(null);
});
afterAll(async () => {
  await arena.close();
  await rm(folder, { recursive: true, force: true });
});

function attackOf(name: string): Attack {
  const found = ATTACKS.find((attack) => attack.name === name);
  if (found === undefined) throw new Error(`there is no attack ${name}`);
  return found;
}

/** `assay submit --wait --json` as a person types it. */
async function submitted(code: string): Promise<z.infer<typeof answerSchema>> {
  const recipe = await mkdtemp(join(folder, 'recipe-'));
  await writeFile(join(recipe, 'train.py'), code.replaceAll(NAP, arena.nap));
  const args = ['--campaign', 'direct', '--recipe', recipe, '--hypothesis', 'an attack', '--wait', '--json'];
  const { code: exit, stdout, stderr } = await assay(arena.world, 'submit', ...args);
  expect(exit, stderr).toBe(0);
  expect(stdout).not.toContain(arena.secret);
  // one JSON object and nothing else
  return answerSchema.parse(JSON.parse(stdout));
}

it('attacks that a person submits by the command end as those that agents submit, in the JSON it prints', async () => {
  const attacks = NAMES.map((name) => ({ ...attackOf(name), expected: arena.expected(attackOf(name)) }));
  const ends = [...attacks, NOT_A_NUMBER].map(async ({ name, code, expected }) => {
    const { status, score, failure } = await submitted(`${PRELUDE}\nOPEN_PORTS = []\n${code}\n`);
    if (!isRun(expected)) throw new Error(`${name} is not run at the best tier`);
    expect(expected.ends, name).toContain(status);
    if (expected.phase !== undefined) expect(failure?.phase, name).toBe(expected.phase);
    if (expected.limit !== undefined) expect(failure?.limit?.name, name).toBe(expected.limit);
    if (status === 'discard') expect(score, name).toBeGreaterThanOrEqual(4);
    else expect(score, name).toBeNull();
    return name;
  });
  expect(await Promise.all(ends)).toHaveLength(5);
  expect(await submitted(`${PRELUDE}\nartifact(2.5)\n`)).toMatchObject({
    status: 'keep',
    score: 0.25,
    failure: null,
  });
  expect(await storedText(arena.world)).not.toContain(arena.secret);
  await arena.nothingLeft();
}, 300_000);
