import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { TINY } from '../fixtures/tiny.js';
import { assay } from '../workflows/command-lines.js';
import { openWorld, until, type World } from '../workflows/world.js';
import { LONG } from './person.js';

let world: World;
let recipe: string;
beforeAll(async () => {
  world = await openWorld();
  recipe = await mkdtemp(join(tmpdir(), 'assay-recipe-'));
  const text = await readFile(join(TINY, 'recipe/train.py'), 'utf8');
  await writeFile(join(recipe, 'train.py'), text.replace('X = 1.0', 'X = 2.0'));
});
afterAll(async () => {
  await world.stop();
  await rm(recipe, { recursive: true, force: true });
});

const recordSchema = z.looseObject({ campaign: z.string(), status: z.string() });
const submitted = async () => {
  const flags = ['--task', 'tiny', '--recipe', recipe, '--hypothesis', 'another X'];
  const { code, stdout, stderr } = await assay(world, 'submit', ...flags, '--wait', '--json');
  expect(code, stderr).toBe(0);
  return { ...recordSchema.parse(JSON.parse(stdout)), stderr };
};

it('two unnamed submits at once both run, each in a campaign of its own', LONG, async () => {
  const both = await Promise.all([submitted(), submitted()]);
  expect(both.map(({ campaign }) => campaign).sort()).toEqual(['submit', 'submit-2']);
  expect(both.map(({ status }) => status)).toEqual(['keep', 'keep']);
});

it('a submit that waits goes on by itself when the workers that it found have ended', LONG, async () => {
  // it can measure nothing, so that the campaign outlives it
  const worker = world.worker({}, ['orchestrator']);
  await worker.ready;
  const waiting = submitted();
  await until('its campaign to begin', () => world.lineage.campaigns.find('submit-3'));
  await worker.kill('SIGKILL');
  const { campaign, status, stderr } = await waiting;
  expect([campaign, status]).toEqual(['submit-3', 'keep']);
  expect(stderr).toContain('the workers that were here have ended');
});
