import fc from 'fast-check';
import { expect, it } from 'vitest';
import { acceleratorMemory, memoryByProcess } from '../../src/devices/accelerator-memory.js';

const MIB = 1024 * 1024;

it('reads the memory of each process over all devices, and counts what the driver does not say as nothing', () => {
  const row = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.nat(80_000));
  fc.assert(
    fc.property(fc.array(row), (rows) => {
      const held = memoryByProcess(rows.map(([pid, mebibytes]) => `${pid}, ${mebibytes}`).join('\n'));
      for (const [pid, bytes] of held) {
        const own = rows.filter(([of]) => of === pid);
        expect(bytes).toBe(own.reduce((sum, [, mebibytes]) => sum + mebibytes * MIB, 0));
      }
      expect(held.size).toBe(new Set(rows.map(([pid]) => pid)).size);
    }),
  );
  expect([...memoryByProcess('7, [N/A]\n\n')]).toEqual([[7, 0]]);
  expect([...memoryByProcess('No running processes found')]).toEqual([]);
});

it('says why where there is no driver to ask', async () => {
  const path = process.env.PATH;
  process.env.PATH = '/nowhere';
  try {
    expect(await acceleratorMemory()).toBe('there is no nvidia-smi on this host');
  } finally {
    process.env.PATH = path;
  }
});
