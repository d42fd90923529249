import { expect, it } from 'vitest';
import { runChaos } from './chaos.js';

it(
  'ends a campaign with every promise kept while server, store and worker are killed with -9 at random',
  { timeout: 1_200_000 },
  async ({ signal }) => {
    const say = (line: string): boolean => process.stderr.write(`${line}\n`);
    const options = { kills: 6, hosts: 1, trainSeconds: 0.3, limitSeconds: 1000, keep: false };
    const row = await runChaos({ seed: 1, trials: 40, ...options, say, signal });
    expect(row.violations).toEqual([]);
    expect(row.counts.counted).toBe(40);
    expect(Math.min(...Object.values(row.kills))).toBeGreaterThan(0);
  },
);
