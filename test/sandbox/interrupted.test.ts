import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSandbox } from '../../src/sandbox/sandbox.js';
import { requestFor } from './programs.js';

const ends = (): void => undefined;
// as a worker does, before it runs anything
beforeAll(() => void process.on('SIGTERM', ends));
afterAll(() => void process.off('SIGTERM', ends));

it('a program is blamed for the signal it dies of, unless its worker got the same', async () => {
  const sandbox = await openSandbox({ tier: 'E' });
  const alone = await sandbox.run(requestFor('kill -TERM $$'));
  expect(alone.ending).toEqual({ kind: 'signalled', signal: 'SIGTERM' });
  const both = sandbox.run(requestFor('sleep 0.3; kill -TERM $$'));
  process.emit('SIGTERM', 'SIGTERM');
  await expect(both).rejects.toThrow(/^it was ended by the SIGTERM that ends its worker/);
  await expect(both).rejects.toMatchObject({ code: 'HOST_FAULT' });
  const other = await sandbox.run(requestFor('kill -HUP $$'));
  expect(other.ending).toEqual({ kind: 'signalled', signal: 'SIGHUP' });
});
