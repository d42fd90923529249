import { execa } from 'execa';
import { expect, it } from 'vitest';

it('a failure while a command ends leaves its exit code to the signal', async () => {
  const module = new URL('../../src/cli/terminal/interrupt.ts', import.meta.url).href;
  const code = `
    const { endRequest } = await import(${JSON.stringify(module)});
    setTimeout(() => undefined, 60_000);
    endRequest().addEventListener('abort', () => setTimeout(() => { throw new Error('a thread failed'); }));
    process.kill(process.pid, 'SIGTERM');`;
  const argv = ['--import', 'tsx', '--input-type=module', '-e', code];
  const ended = await execa(process.execPath, argv, { reject: false });
  expect(ended.exitCode).toBe(143);
  expect(ended.stderr).toMatch(/^ended at once: it failed while it ended \(a thread failed\);/);
});
