import fc from 'fast-check';
import { expect, it } from 'vitest';
import { acceleratorMemory, memoryByProcess } from '../../src/devices/accelerator-memory.js';

it('adds up what a process holds on several devices', () => {
  const holder = fc.record({ pid: fc.option(fc.nat(5)), bytes: fc.nat(1000) });
  fc.assert(
    fc.property(fc.array(fc.array(holder)), (devices) => {
      const held = memoryByProcess(devices.map((holders) => ({ holders })));
      const all = devices.flat();
      for (const [pid, bytes] of held)
        expect(bytes).toBe(all.filter((one) => one.pid === pid).reduce((sum, one) => sum + one.bytes, 0));
      expect(new Set(held.keys())).toEqual(new Set(all.flatMap(({ pid }) => pid ?? [])));
    }),
  );
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
