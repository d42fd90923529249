import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { HELD_OUT, openBenchLab, type BenchLab } from '../../builders/bench-lab.js';
import { TIERS } from '../../sandbox/programs.js';

vi.setConfig({ testTimeout: 120_000 });

const ISOLATING = TIERS.filter((tier) => tier < 'D');

describe.each(ISOLATING)('shell at tier %s', (tier) => {
  let lab: BenchLab;
  beforeAll(async () => {
    lab = await openBenchLab(tier);
  });
  afterAll(() => lab.stop());
  const shell = async (command: string, more: object = {}) => {
    const [answer] = await (await lab.talk()).reply(['shell', { command, ...more }]);
    if (answer === undefined) throw new Error('no answer');
    return answer;
  };

  it('runs bash on a copy, tells exit status and output, and drops what was written', async () => {
    const talk = await lab.talk();
    const [first, second] = await talk.reply(
      ['shell', { command: 'a=(1 2); echo "it\'s ${a[1]}"; cat train.py; echo new > more.txt; exit 3' }],
      ['shell', { command: 'ls' }],
    );
    expect(first?.text).toMatch(/^exit status 3, \d+\.\d s\nit's 2\nprint\("trained"\)$/);
    expect(first?.isError).toBe(false);
    expect(second?.text).toMatch(/\nREADME.md\ntrain.py$/);
  });

  it('keeps files that may be edited as edits, and no others', async () => {
    const command =
      'mkdir more; echo "x = 1" > more/a.py; echo "y = 2" >> train.py; printf "\\377\\376" > more/b.bin; echo z > other.txt; rm README.md';
    const answer = await shell(command, { keep: true });
    expect(answer.text).toContain('Kept: more/a.py, train.py.');
    expect(answer.text).toContain('"more/b.bin" was not kept: it is no text.');
    expect(answer.text).toContain('Dropped, as they may not be edited: other.txt.');
    expect(answer.text).toContain('Removed by the command, and still there: README.md.');
    const files = await lab.lineage.blobs.readTree(answer.snapshot);
    expect(files.map(({ path, bytes }) => [path, Buffer.from(bytes).toString()])).toEqual([
      ['README.md', 'not editable\n'],
      ['more/a.py', 'x = 1\n'],
      ['train.py', 'print("trained")\ny = 2\n'],
    ]);
  });

  it.each([
    ['a link to a file of the host', 'ln -s /etc/hostname train.py.new && mv train.py.new train.py'],
    ['a link to a folder of the host', 'ln -s /etc more'],
    ['a pipe', 'rm train.py; mkfifo train.py'],
    ['a name that is no text', 'mkdir more; touch "$(printf "more/a\\nb")"'],
    ['thousands of files', 'mkdir more; for i in $(seq 6000); do : > more/$i; done'],
    ['many changed files', 'mkdir more; for i in $(seq 201); do echo $i > more/$i; done'],
  ])('keeps nothing of %s', async (_, command) => {
    const { text, snapshot } = await shell(command, { keep: true });
    expect(text).toMatch(/Nothing was kept: /);
    expect(snapshot).toBe((await lab.lineage.trials.require(lab.owner, 0)).snapshot);
  });

  it.each([
    ['a sleep beyond the limit', 'sleep 100', { timeout_s: 1 }, /exceeded its wall limit: .* of 1 s/],
    ['a flood of output', 'yes', {}, /exceeded its output limit/],
    [
      'a full disk',
      'head -c 60000000 /dev/zero > f; sleep 3',
      {},
      /disk limit|File too large|SIGXFSZ|No space/,
    ],
  ])('ends %s', async (_, command, more, words) => {
    const { text } = await shell(command, more);
    expect(text).toMatch(words);
    expect(text.length).toBeLessThan(40_000);
  });

  it('bounds processes', async () => {
    // as many as pass every limit of a task's, and not a bomb: where processes are only watched it could fill this host
    const { text } = await shell('for i in $(seq 300); do sleep 20 & done; wait; echo done', {
      timeout_s: 30,
    });
    expect(text).toMatch(/processes limit|fork|Resource temporarily unavailable/);
    expect(text).not.toContain('done');
  });

  it('answers output that is no text in visible characters', async () => {
    const { text } = await shell('printf "\\0\\033[31mx\\377"');
    expect(text).toContain('exit status 0');
    expect(text).not.toMatch(/[\0\u001b]/);
  });

  it('reaches no held-out data, evaluator, variable, network or folder of the host', async () => {
    expect(await reached(lab)).toEqual([]);
  });
});

/** Names what a command reaches that it must not. */
async function reached({ folder, talk }: BenchLab): Promise<string[]> {
  const server = createServer((socket) => {
    // whoever connected may be killed before it reads
    socket.on('error', () => undefined);
    socket.end('hello');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  vi.stubEnv('ASSAY_TEST_SECRET', 'secret-value');
  try {
    const command = [
      `find ${folder} -name labels.txt -exec cat {} +`,
      `find ${folder} -path '*evaluator/evaluate.py' -exec cat {} +`,
      `(echo > /dev/tcp/127.0.0.1/${address.port}) && echo connected`,
      `ls ${folder}`,
      'cat /proc/*/environ | tr "\\0" "\\n"',
    ].join('\n');
    const text = await (await talk()).ask('shell', { command });
    const breaches = {
      data: HELD_OUT,
      evaluator: 'ASSAY_RESULT_FD',
      network: 'connected',
      folder: 'prepared',
    };
    return Object.entries({ ...breaches, variable: 'secret-value' })
      .filter(([, sign]) => text.split('\n').some((line) => line.includes(sign)))
      .map(([name]) => name);
  } finally {
    vi.unstubAllEnvs();
    server.close();
  }
}

it('is refused on a host that does not isolate, unless the campaign says on', async () => {
  const isolated = await openBenchLab('E');
  const on = await openBenchLab('E', { workbench: 'on' });
  const off = await openBenchLab('E', { workbench: 'off' });
  try {
    const command = { command: 'echo ran' };
    const probe = { hypothesis: 'h', command: 'echo ran' };
    for (const lab of [isolated, off]) {
      const [shell, probed] = await (await lab.talk()).reply(['shell', command], ['probe', probe]);
      expect([shell?.isError, probed?.isError]).toEqual([true, true]);
      expect([shell?.text, probed?.text].join(' ')).not.toContain('exit status');
    }
    expect(await (await on.talk()).ask('shell', command)).toMatch(/^exit status 0, .*\nran$/);
    // what the other tiers hold back is there to be reached
    expect(await reached(on)).toEqual(expect.arrayContaining(['data', 'evaluator', 'network', 'folder']));
  } finally {
    for (const lab of [isolated, on, off]) await lab.stop();
  }
});
