import { Context } from '@temporalio/activity';
import { hostOfQueue } from '../src/domain/host-queues.js';
import { unlessRefused, type RefusedHere } from '../src/measure/refused-here.js';

/** Does work of any queue; on that of one host, what it may not do is answered instead of tried again. */
export const answeringRefusal = <T>(work: () => Promise<T>): Promise<T | RefusedHere> =>
  hostOfQueue(Context.current().info.taskQueue) === null ? work() : unlessRefused(work);
