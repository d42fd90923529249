import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { diskUse } from '../../src/sandbox/host/disk-use.js';
import { freshFolder, python } from './programs.js';

it('takes more names than it looks at for too much', async () => {
  const folder = freshFolder();
  const code =
    'import os,sys\nos.chdir(sys.argv[1])\nfor i in range(5):\n os.mkdir(str(i)); open(f"{i}/x","w")\n for j in range(40010): os.link(f"{i}/x", f"{i}/{j}")';
  execFileSync(python, ['-c', code, folder]);
  expect((await diskUse([folder])).bytes).toBe(Number.MAX_SAFE_INTEGER);
});
