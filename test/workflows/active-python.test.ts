import { writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { afterEach, expect, it, vi } from 'vitest';
import { openLab } from '../bad-input/test-task.js';
import { freshFolder } from '../sandbox/programs.js';

afterEach(() => vi.unstubAllEnvs());

const RECIPE = `
import json, os, only_here
with open(os.path.join(os.environ["ASSAY_OUTPUT"], "x.json"), "w") as file: json.dump({"x": only_here.X}, file)
`;

const EVALUATOR = `
import json, os, only_here
with open(os.path.join(os.environ["ASSAY_ARTIFACT"], "x.json")) as file: x = json.load(file)["x"]
assert x == only_here.X
with os.fdopen(int(os.environ["ASSAY_RESULT_FD"]), "w") as out:
    json.dump({"schema": "assay.evaluation/1", "metrics": {"loss": x}, "feedback": ""}, out)
`;

it.each(['', 'E'])(
  'training and evaluator import what only the active virtual environment has (tier "%s")',
  async (tier) => {
    const place = join(freshFolder(), 'venv');
    await execa('python3', ['-m', 'venv', '--without-pip', place]);
    const packages = await execa(join(place, 'bin/python'), [
      '-c',
      'import site; print(site.getsitepackages()[0])',
    ]);
    await writeFile(join(packages.stdout, 'only_here.py'), 'X = 0.5\n');
    vi.stubEnv('PATH', [join(place, 'bin'), process.env['PATH'] ?? ''].join(delimiter));
    vi.stubEnv('ASSAY_TIER', tier);
    const lab = await openLab();
    try {
      await lab.task('active', (yaml) => yaml, {
        'recipe/train.py': RECIPE,
        'evaluator/evaluate.py': EVALUATOR,
      });
      await lab.open('active', 'active');
      const ended = await lab.ended('active', await lab.submit('active', `${RECIPE}# again\n`));
      expect(ended).toMatchObject({ score: 0.5, failure: null });
      await lab.close('active');
    } finally {
      await lab.stop();
    }
  },
);
