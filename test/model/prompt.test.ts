import { describe, expect, it } from 'vitest';
import { taskSchema } from '../../src/domain/task/task.js';
import {
  baseIn,
  editableIn,
  openingMessage,
  promptBlocks,
  roleSection,
  systemPrompt,
} from '../../src/model/prompt.js';
import { viewOf } from '../builders/view-rows.js';

const task = taskSchema.parse({
  schema: 'assay.task/1',
  name: 'golf',
  title: 'A small model',
  metric: { name: 'bpb', unit: 'bits/byte', direction: 'minimize', limit: 0 },
  recipe: { editable: ['train.py', 'lib/**'], counted: ['train.py', 'lib/**'], knobs: 'marked' },
  resources: {},
  phases: { train: { run: 'python train.py', timeout_s: 15, output: 'out/' } },
  scoring: 'direct',
  evaluate: { run: 'python evaluate.py', timeout_s: 30 },
  gates: [{ name: 'size', metric: 'bytes', max: 24000, known: 'pack' }],
  specialists: ['opt'],
});

const VIEW = viewOf({ metric: task.metric });

describe('a prompt', () => {
  it('states the exact gates and budgets, the role and what may be changed', () => {
    const parts = {
      task,
      role: 'opt',
      rolePrompt: 'Tune LR.',
      knowledge: 'Known: LR 1.',
      trainSeconds: 10,
      turns: 30,
      lanes: ['opt'],
      lineage: 'on' as const,
      sessionTrials: 4,
    };
    const [shared, own] = systemPrompt(parts);
    const prompt = `${shared}\n\n${own}`;
    for (const words of [
      'bytes at most 24000',
      'train.py, lib/**',
      'training budget: 10 s',
      'at most 30 turns and 4 trials',
      'Known: LR 1.',
    ])
      expect(prompt).toContain(words);
    expect(roleSection(prompt).trim()).toBe('Tune LR.');
    expect(systemPrompt({ ...parts, role: 'arch', rolePrompt: 'Change layers.' })[0]).toBe(shared);
    expect(promptBlocks(prompt, shared.length + 2)).toEqual([shared, own]);
    expect(promptBlocks(prompt, null)).toEqual([prompt]);
  });

  it('states when a phase is really ended, and what sizes count', () => {
    const parts = {
      task,
      role: 'opt',
      rolePrompt: '',
      knowledge: '',
      turns: 30,
      sessionTrials: null,
      lanes: [],
      lineage: 'on' as const,
    };
    expect(systemPrompt({ ...parts, trainSeconds: 10 })[0]).toContain('`python train.py`, killed after 11 s');
    const [unbudgeted] = systemPrompt({ ...parts, trainSeconds: null });
    expect(unbudgeted).toContain('`python train.py`, killed after 15 s');
    expect(unbudgeted).not.toContain('training budget');
    expect(unbudgeted).toContain('plus the UTF-8 length of its path plus 1');
  });

  it('opens with the files and the trial that the workspace stands on', () => {
    const opening = openingMessage(VIEW, task, 500, { session: 'demo/opt-1, session 2' });
    expect(editableIn(opening)).toEqual(['train.py', 'lib/**']);
    expect(baseIn(opening)).toBe(3);
    expect(opening).toContain('Session demo/opt-1, session 2.');
  });

  it('opens a session without lineage on the start', () => {
    const opening = openingMessage({ ...VIEW, base: 0, frontier: null, nearMisses: [] }, task, 500);
    expect(opening).toContain('a copy of trial 0 (t00000), the start.');
    expect(opening).not.toMatch(/frontier/i);
    expect(baseIn(opening)).toBe(0);
  });

  const parts = {
    role: 'opt',
    rolePrompt: '',
    knowledge: '',
    trainSeconds: null,
    turns: 30,
    sessionTrials: null,
    lineage: 'on' as const,
  };

  it.each([
    [
      ['opt'],
      'Sessions run as opt. No lane works as arch or size: what such a role would own anyone may change.',
    ],
    [['opt', 'opt', 'arch'], 'Sessions run as opt (2 lanes), arch. No lane works as size:'],
    [['size', 'opt', 'arch'], 'Sessions run as size, opt, arch.'],
    [['generic', 'generic'], 'Sessions run as generic (2 lanes). No lane works as opt or arch or size:'],
  ])('names the lanes %j, and the surfaces that nobody has', (lanes, words) => {
    const three = { ...task, specialists: ['opt', 'arch', 'size'] };
    expect(systemPrompt({ ...parts, task: three, lanes })[0]).toContain(words);
  });

  it('tells the protocol of served tasks, with their seconds, and of no others', () => {
    const serve = { run: 'python serve.py', startup_s: 5, twins: true };
    const { phases } = task;
    const served = { ...task, scoring: 'served' as const, phases: { ...phases, serve } };
    const [prompt] = systemPrompt({ ...parts, task: taskSchema.parse(served), lanes: [] });
    for (const words of ['5 s to answer its first frame', 'whole evaluation 30 s', 'adapt', 'twins_disagree'])
      expect(prompt).toContain(words);
    expect(systemPrompt({ ...parts, task, lanes: [] })[0]).not.toContain('adapt');
  });

  it('asks nothing of conversations without lineage that rests on others', () => {
    const [alone] = systemPrompt({ ...parts, task, lanes: [], lineage: 'off' });
    expect(alone).not.toMatch(/frontier|adopted \(keep\)|the lineage shows/);
    expect(systemPrompt({ ...parts, task, lanes: [] })[0]).toContain('rebase onto the frontier');
  });

  it('says of deterministic tasks that scores repeat', () => {
    const exact = { ...task, replicate: { ...task.replicate, deterministic: true } };
    expect(systemPrompt({ ...parts, task: exact, lanes: [] })[0]).toContain('Scores repeat exactly');
    expect(systemPrompt({ ...parts, task, lanes: [] })[0]).toContain('Scores differ from run to run');
  });
});
