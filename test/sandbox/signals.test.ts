import { mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSandbox, type RunRequest } from '../../src/sandbox/sandbox.js';
import { LIMITS, TIERS, freshFolder, pythonCommand, requestFor } from './programs.js';

/** Says a word and waits for the answer. */
const SAY = `
import os, sys, time
answers = os.fdopen(int(os.environ["ASSAY_GO_FD"]))
def say(word):
    os.write(int(os.environ["ASSAY_SIGNAL_FD"]), (word + "\\n").encode())
    return answers.readline().strip()
`;

/** A run that may say both words, and the folder in which each shows a file of its name. */
function talking(code: string, more: Partial<RunRequest> = {}): RunRequest {
  const shown = freshFolder();
  const show = (word: 'ready' | 'trained') => ({
    word,
    show: () => writeFile(join(shown, word), word),
  });
  const request = requestFor(pythonCommand(`${SAY}\nshown = "${shown}"\n${code}`));
  return {
    ...request,
    readable: [...request.readable, shown],
    signals: [show('ready'), show('trained')],
    ...more,
  };
}

describe.each(TIERS)('tier %s', (tier) => {
  const run = async (request: RunRequest) => (await openSandbox({ tier })).run(request);

  it('shows what a word asks for before it answers, and nothing of it before the word', async () => {
    const code = `
print(os.listdir(shown), say("ready"), os.listdir(shown))
print(say("trained"), sorted(os.listdir(shown)), open(os.path.join(shown, "trained")).read())
`;
    const result = await run(talking(code, { warmupS: 60 }));
    expect(result.log).toBe("[] go ['ready']\ngo ['ready', 'trained'] trained\n");
    expect(result.said).toEqual(['ready', 'trained']);
    expect(result.stray).toBeUndefined();
  });

  it('tells for how long it ran on after it said that it has trained', async () => {
    const early = await run(talking('say("ready"); say("trained"); time.sleep(1)', { warmupS: 60 }));
    expect(early.revealMs).toBeGreaterThan(1000);
    expect(early.revealMs).toBeLessThanOrEqual(early.wallMs);
    expect((await run(talking('say("ready")', { warmupS: 60 }))).revealMs).toBeUndefined();
  });

  it('counts the wall time from the moment that the run is ready', async () => {
    // its warm-up alone takes longer than its wall time
    const limits = { ...LIMITS, wallS: 2 };
    const warm = talking('time.sleep(2.5); say("ready")', { limits, warmupS: 60 });
    const result = await run(warm);
    expect(result.ending).toEqual({ kind: 'exited', code: 0 });
    expect(result.warmupMs).toBeGreaterThan(2500);
    expect(result.wallMs).toBeLessThan(result.warmupMs ?? 0);
    const late = await run(talking('say("ready"); time.sleep(600)', { limits, warmupS: 60 }));
    expect(late.ending).toMatchObject({ kind: 'limit', limit: 'wall', allowed: 2 });
  });

  it('ends a run that does not become ready', async () => {
    const result = await run(talking('time.sleep(600)', { warmupS: 0.5 }));
    expect(result.ending).toMatchObject({ kind: 'limit', limit: 'warmup', allowed: 0.5 });
    expect(result.said).toEqual([]);
    expect(result.warmupMs).toBeUndefined();
  });

  it('does not answer what is no word, nor one out of turn, and shows nothing for it', async () => {
    const code = `
os.write(int(os.environ["ASSAY_SIGNAL_FD"]), b"trained\\n" + b"x" * 100000)
time.sleep(0.3)
print(os.listdir(shown))
`;
    const result = await run(talking(code));
    expect(result.log).toBe('[]\n');
    expect(result).toMatchObject({ said: [], stray: 'trained' });
  });

  it('is not read on for ever', async () => {
    const code = `
try:
    while True:
        os.write(int(os.environ["ASSAY_SIGNAL_FD"]), b"x" * 100000)
except (BrokenPipeError, ConnectionResetError):  # the second where something is still unread
    print("closed")
`;
    expect((await run(talking(code))).log).toBe('closed\n');
  });

  it('is at fault itself where it cannot show what was asked for', async () => {
    const request = talking('say("ready"); time.sleep(600)');
    const broken = [{ word: 'ready' as const, show: () => Promise.reject(new Error('the disk is gone')) }];
    await expect(run({ ...request, signals: broken })).rejects.toThrow('the disk is gone');
  });
});

it('tells no descriptors to a run that may say nothing', async () => {
  const folder = freshFolder();
  mkdirSync(join(folder, 'x'));
  const result = await (await openSandbox()).run(requestFor('env', { cwd: folder }));
  expect(result.log).not.toMatch(/ASSAY_(SIGNAL|GO)_FD/);
});
