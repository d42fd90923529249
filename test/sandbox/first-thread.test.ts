import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { openSandbox } from '../../src/sandbox/sandbox.js';
import { TIERS, pythonCommand, requestFor, survivors } from './programs.js';

// a process whose first thread has ended is shown as a zombie while its other threads run
describe.each(TIERS)('tier %s', (tier) => {
  it.each([
    ['its own', ''],
    ['that of a child in a session of its own', 'if os.fork() == 0: os.setsid()\nelse: time.sleep(60)'],
  ])('ends a process whose first thread has ended while others run: %s', async (_whose, before) => {
    const headless = `
import ctypes, os, threading, time
${before}
threading.Thread(target=time.sleep, args=(600,)).start()
open("up", "w")
ctypes.CDLL(None).syscall({"x86_64": 60}.get(os.uname().machine, 93), 0)`;
    const cancel = new AbortController();
    const request = requestFor(pythonCommand(headless), { signal: cancel.signal });
    const running = (await openSandbox({ tier })).run(request);
    await vi.waitUntil(() => existsSync(join(request.cwd, 'up')), 30_000);
    cancel.abort();
    expect((await running).ending).toEqual({ kind: 'cancelled' });
    expect(await survivors(request.id)).toEqual([]);
  });
});
