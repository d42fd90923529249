import type { Lineage } from '../../src/lineage/lineage.js';
import { loadTask, parseTask } from '../../src/tasks/load.js';
import { BYTE_GOLF } from '../tasks/numpy-python.js';

/**
 * Stores byte-golf with so much tolerance that no host is too slow for its phases, under its own name: a test may
 * train for moments, in which Python itself does not start on a busy machine.
 */
export async function pushPatientByteGolf(lineage: Lineage): Promise<void> {
  const { files } = await loadTask(BYTE_GOLF);
  const patient = files.map(({ path, bytes }) =>
    path === 'task.yaml' ? { path, bytes: Buffer.from(withTolerance(bytes.toString())) } : { path, bytes },
  );
  const yaml = patient.find(({ path }) => path === 'task.yaml')?.bytes.toString() ?? '';
  await lineage.tasks.push(parseTask(yaml, 'task.yaml'), patient, 'person');
}

function withTolerance(yaml: string): string {
  const changed = yaml
    .replace('timeout_s: 15', 'timeout_s: 60')
    .replace('budget_s: 10 }', 'budget_s: 10, tolerance_s: 50 }')
    .replace("--pack', timeout_s: 10,", "--pack', timeout_s: 60, tolerance_s: 50,");
  if (changed.split('tolerance_s: 50').length !== 3) throw new Error('byte-golf has other phases now');
  return changed;
}
