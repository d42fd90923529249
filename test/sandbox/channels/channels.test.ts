import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSandbox, surveyTiers } from '../../../src/sandbox/sandbox.js';
import { findPython } from '../../../src/tasks/python.js';
import { arrived, message, pairOf, type Channel } from './parties.js';
import { lacks } from '../../lacks.js';

/** The quickest of the channels in channels.slow.test.ts. */
const LOCKS: Channel = { name: 'posix locks', bytes: 7, mask: 0xff };

const { tier } = (await surveyTiers()).at(-1) ?? { tier: 'E' };

let work: string;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'assay-channels-'));
});
afterAll(() => rm(work, { recursive: true, force: true }));

const isOpen = lacks(tier !== 'B', 'channels, which are closed at tier B');
it.skipIf(isOpen)(
  'a channel is open between trainings, and closed to a server in a root of its own',
  async () => {
    const python = await findPython(join(work, 'cache'), '', new AbortController().signal);
    const sandbox = await openSandbox({ tier: 'B', cache: join(work, 'cache') });
    for (const own of [false, true]) {
      const [sender, receiver] = await pairOf(python, work, [sandbox, own], [sandbox, false]);
      const share = await arrived(LOCKS, sender, receiver, message(70, LOCKS));
      await Promise.all([sender.end(), receiver.end()]);
      expect(share > 0.6).toBe(!own);
      if (own) expect((await sender.served.done).isolation.channels).toBe('closed');
    }
  },
);
