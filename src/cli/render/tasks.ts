import type { TasksModel } from '../use-cases/task-list.js';
import { columns } from './table.js';
import { cut, oneLine } from './text.js';

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
