import { afterEach, describe, expect, it, vi } from 'vitest';
import { HELD_OUT, openBenchLab, PROFILE_S, SEEN, type BenchLab } from '../../builders/bench-lab.js';
import { TIERS } from '../../sandbox/programs.js';

vi.setConfig({ testTimeout: 120_000 });

let lab: BenchLab;
afterEach(() => lab.stop());

const open = async (...of: Parameters<typeof openBenchLab>): Promise<BenchLab> =>
  (lab = await openBenchLab(...of));
const hypothesis = 'the data is short';
const rows = async () =>
  (await lab.lineage.budgets.rows(lab.owner, 10)).map(({ what, role, certainty, spent }) => ({
    what,
    role,
    certainty,
    paid: spent.acceleratorMs > 0,
  }));

describe.each(TIERS.filter((tier) => tier < 'D'))('probe at tier %s', (tier) => {
  it('sees the training data and nothing held out, is charged and recorded, and is no trial', async () => {
    await open(tier);
    const talk = await lab.talk();
    const point = '{"schema": "assay.progress/1", "share": 0.5, "value": 2.25}';
    const command = `cat "$ASSAY_DATA/text.txt"; echo; echo '${point}'; sleep 0.5; find ${lab.folder} -name labels.txt -exec cat {} +; exit 4`;
    const text = await talk.ask('probe', { hypothesis, command });
    expect(text).toMatch(/^exit status 4, /);
    expect(text).toContain(SEEN);
    expect(text).not.toContain(HELD_OUT);
    expect(text).toContain('progress, last points: 50 %: 2.25');
    expect(text).toContain('Probes left in this session: 1.');
    const { probes } = await lab.lineage.sessions.get(talk.session);
    expect(probes).toMatchObject([{ kind: 'probe', hypothesis, command, exit: 4 }]);
    expect(await lab.lineage.blobs.text(probes[0]?.output ?? '')).toContain(SEEN);
    expect(await rows()).toEqual([{ what: 'probe', role: 'opt', certainty: 'known', paid: true }]);
    expect(await lab.lineage.trials.totals(lab.owner)).toEqual({ submitted: 0, counted: 0 });
  });
});

const [BEST = 'E'] = TIERS;
/** Where no tier isolates, what is not about isolation is tried all the same. */
const anywhere = { workbench: 'on' };

it('runs the profile of a task, counts it as a probe, and refuses more than a session may have', async () => {
  await open(BEST, anywhere);
  const talk = await lab.talk();
  const answers = await talk.reply(
    ['profile', { hypothesis: 'what is slow?' }],
    ['probe', { hypothesis, command: 'sleep 30', timeout_s: 0.5 }],
    ['probe', { hypothesis, command: 'echo third' }],
  );
  const [profile, late, refused] = answers.map(({ text }) => text);
  expect(profile).toMatch(/^exit status 0, .*\nslowest: matmul\n/);
  expect(late).toMatch(/exceeded its wall limit: .* of 0.5 s/);
  expect(refused).toBe('This session has made its 2 probes. submit_trial and check work.');
  expect(answers.map(({ isError }) => isError)).toEqual([false, true, true]);
  const { probes } = await lab.lineage.sessions.get(talk.session);
  expect(probes.map(({ kind, exit }) => [kind, exit])).toEqual([
    ['profile', 0],
    ['probe', null],
  ]);
});

it('ends the profile of a task at its timeout_s', async () => {
  await open(BEST, { ...anywhere, profile: 'echo begun; sleep 30' });
  const text = await (await lab.talk()).ask('profile');
  expect(text).toMatch(new RegExp(`exceeded its wall limit: .* of ${PROFILE_S} s`));
  expect(text).toContain('begun');
});

it('says so where the task has no profile', async () => {
  await open(BEST, { ...anywhere, profile: false });
  expect(await (await lab.talk()).ask('profile')).toContain('The task has no profile');
});

it('is not run where the budget has no room, nor in a campaign that is held', async () => {
  await open(BEST, anywhere);
  await lab.lineage.budgets.changeLimits(lab.owner, { id: 'x', by: null, change: { acceleratorSeconds: 5 } });
  const ask = async (more: object) =>
    (await lab.talk()).ask('probe', { hypothesis, command: 'echo ran', ...more });
  expect(await ask({ timeout_s: 2 })).toMatch(/^exit status 0/);
  expect(await ask({})).toContain('less than this probe may take');
  expect(await ask({ timeout_s: 1 })).toContain('The campaign is paused');
});

it('runs a probe once more that was cut off with its worker, and tells one that was twice', async () => {
  await open(BEST, anywhere);
  const talk = await lab.talk();
  const begun = async (times: number): Promise<void> => {
    const key = `${talk.session}/${talk.at(0).turn + 1}/0`;
    for (let attempt = 1; attempt <= times; attempt += 1) {
      await lab.lineage.sessions.beginProbe(talk.session, `${key}/${attempt}`);
      await lab.lineage.budgets.reserve({
        ...{ owner: lab.owner, key: `probe/${key}/${attempt}`, what: 'probe', role: 'opt', trial: null },
        amounts: { microUsd: 0, acceleratorMs: 1000, tokens: 0 },
      });
    }
  };
  await begun(1);
  expect(await talk.ask('probe', { hypothesis, command: 'echo again' })).toMatch(
    /^exit status 0, .*\nagain\n/,
  );
  expect((await rows()).map(({ certainty }) => certainty).sort()).toEqual(['known', 'unknown']);
  await begun(2);
  expect(await talk.ask('probe', { hypothesis, command: 'echo never' })).toContain(
    'was lost with its worker 2 times, and is not run again',
  );
  const { probes } = await lab.lineage.sessions.get(talk.session);
  expect(probes.map(({ ended }) => ended.replace(/, \d.*/, ''))).toEqual([
    'exit status 0',
    'lost with its worker 2 times',
  ]);
});
