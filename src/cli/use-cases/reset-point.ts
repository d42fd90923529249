import { AssayError } from '../../domain/errors.js';
import type { History } from './history.js';

type HistoryEvent = NonNullable<History['events']>[number];

/**
 * Finds the event that a server resets to: the end of the workflow task from which everything is done again. For the
 * number of an event that is the task that led to it, so that this event and all that followed happen again.
 * @throws AssayError USAGE
 */
export function resetPoint(history: History, to: string): HistoryEvent {
  const events = history.events ?? [];
  const tasks = events.filter((event) => event.workflowTaskCompletedEventAttributes != null);
  const found =
    to === 'first'
      ? tasks[0]
      : to === 'last-task'
        ? tasks.at(-1)
        : taskBefore(tasks, eventNumber(to, events));
  if (found !== undefined) return found;
  throw new AssayError(
    'USAGE',
    /^\d+$/.test(to)
      ? `nothing had been decided before event ${to}`
      : 'this workflow has not done anything yet that could be done again',
    { remedy: '`--to first` begins with the first thing that it decided.' },
  );
}

function eventNumber(to: string, events: readonly HistoryEvent[]): number {
  const number = Number(to);
  if (/^\d+$/.test(to) && number >= 1 && number <= events.length) return number;
  throw new AssayError(
    'USAGE',
    `--to takes first, last-task or the number of an event from 1 to ${events.length}, not "${to}"`,
  );
}

const taskBefore = (tasks: readonly HistoryEvent[], number: number): HistoryEvent | undefined =>
  tasks.filter((event) => Number(event.eventId) <= number).at(-1);
