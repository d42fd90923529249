import type { TasksModel } from '../use-cases/task-list.js';
import { columns } from './table.js';
import { cut, oneLine } from './text.js';

/** Tells which bundled tasks are left out, and why. */
export const brokenLines = ({ broken }: TasksModel): string[] =>
  broken.flatMap(({ folder, code, message, remedy }) => [
    `\n${folder} is left out: ${oneLine(message)} (${code})`,
    oneLine(remedy),
  ]);

export function renderTasks({ tasks }: TasksModel): string {
  return columns(
    [
      { title: 'TASK' },
      { title: 'FROM' },
      { title: 'METRIC' },
      { title: 'SPECIALISTS' },
      { title: 'POOL' },
      { title: 'PROFILES' },
      { title: 'TITLE' },
    ],
    tasks.map((task) => [
      task.name,
      task.from === 'person' ? 'pushed' : 'assay',
      oneLine(`${task.metric.name} ${task.metric.unit}, ${task.metric.direction}`),
      task.specialists.join(', '),
      task.pool,
      task.profiles.join(', '),
      cut(oneLine(task.title), 60),
    ]),
  );
}
