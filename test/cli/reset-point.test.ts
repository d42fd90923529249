import proto from '@temporalio/proto';
import { expect, it } from 'vitest';
import { resetPoint } from '../../src/cli/use-cases/reset-point.js';

/** A history in which the events of these numbers end workflow tasks. */
const history = (length: number, tasks: readonly number[]) =>
  proto.temporal.api.history.v1.History.fromObject({
    events: Array.from({ length }, (_, i) => ({
      eventId: i + 1,
      ...(tasks.includes(i + 1) ? { workflowTaskCompletedEventAttributes: {} } : {}),
    })),
  });

const pointOf = (to: string, length = 20, tasks: readonly number[] = [4, 10, 16]): number =>
  Number(resetPoint(history(length, tasks), to).eventId);

it('is the first or the last task, or the one that led to an event', () => {
  expect(pointOf('first')).toBe(4);
  expect(pointOf('last-task')).toBe(16);
  expect(['4', '5', '9', '10', '15', '20'].map((to) => pointOf(to))).toEqual([4, 4, 4, 10, 10, 16]);
});

it.each([
  ['3', /nothing had been decided before event 3/],
  ['21', /from 1 to 20, not "21"/],
  ['0', /not "0"/],
  ['-1', /not "-1"/],
  ['1.5', /not "1.5"/],
  ['yesterday', /not "yesterday"/],
])('refuses %s in words', (to, message) => {
  expect(() => pointOf(to)).toThrow(message);
});

it('refuses a workflow that has done nothing yet', () => {
  expect(() => pointOf('first', 2, [])).toThrow(/has not done anything yet/);
});
