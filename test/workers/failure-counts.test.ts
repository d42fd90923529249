import { fileURLToPath } from 'node:url';
import { Context } from '@temporalio/activity';
import { Client, Connection, WorkflowFailedError } from '@temporalio/client';
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { AssayError, type ErrorCode } from '../../src/domain/errors.js';
import { BOUNDED_FAILURES, countFailure, doingIn, failuresBefore } from '../../src/domain/failure-counts.js';
import { failureInterceptor } from '../../workers/failures.js';
import { flakyWorkflow } from './flaky-workflow.js';

describe('failures of an activity', () => {
  const last = BOUNDED_FAILURES - 1;
  it.each([
    [{}, 'HOST_FAULT', 'bounded', false],
    [{ STORE_UNREACHABLE: 40 }, 'HOST_FAULT', 'bounded', false],
    [{ HOST_FAULT: last }, 'EVALUATOR_FAULT', 'bounded', false],
    [{ HOST_FAULT: last - 1 }, 'HOST_FAULT', 'bounded', false],
    [{ HOST_FAULT: last }, 'HOST_FAULT', 'bounded', true],
    [{ OVERTAKEN: 40 }, 'OVERTAKEN', 'endless', false],
    [{}, 'RECIPE_INVALID', false, true],
  ] as const)('after %j, one of %s, which is retried %s, is final: %s', (before, code, retry, isFinal) => {
    const counted = countFailure(before, code, retry);
    expect(counted.isFinal).toBe(isFinal);
    expect(counted.failures).toMatchObject({ ...before, [code]: expect.any(Number) as number });
  });

  it.each([null, undefined, 'trains', 7, { doing: 3 }, { failures: { HOST_FAULT: -1 } }])(
    'are none where a heartbeat says %j',
    (details) => expect(failuresBefore(details)).toEqual({}),
  );

  it('are told beside what is being done', () => {
    const details = { doing: 'trains', failures: { HOST_FAULT: 2 } };
    expect([doingIn(details), failuresBefore(details)]).toEqual(['trains', { HOST_FAULT: 2 }]);
  });
});

describe('on a server', () => {
  let connection: Connection;
  let native: NativeConnection;
  beforeAll(async () => {
    const address = inject('temporalAddress');
    connection = await Connection.connect({ address });
    native = await NativeConnection.connect({ address });
  });
  afterAll(async () => {
    await connection.close();
    await native.close();
  });

  /** Runs an activity whose attempts fail with these codes, one after another, and then no more. */
  async function attempts(name: string, codes: readonly ErrorCode[]): Promise<number> {
    const worker = await Worker.create({
      connection: native,
      taskQueue: name,
      workflowsPath: fileURLToPath(new URL('flaky-workflow.ts', import.meta.url)),
      interceptors: { activity: [failureInterceptor] },
      activities: {
        flaky: () => {
          const { attempt } = Context.current().info;
          const code = codes[attempt - 1];
          if (code !== undefined) throw new AssayError(code, `attempt ${attempt}`);
          return attempt;
        },
      },
    });
    const client = new Client({ connection });
    return worker.runUntil(
      client.workflow.execute(flakyWorkflow, { taskQueue: name, workflowId: `${name}-${Date.now()}` }),
    );
  }

  it('an outage does not make the first fault of a host the last', async () => {
    const outage = Array.from({ length: BOUNDED_FAILURES + 2 }, () => 'STORE_UNREACHABLE' as const);
    expect(await attempts('after-outage', [...outage, 'HOST_FAULT', 'HOST_FAULT'])).toBe(
      BOUNDED_FAILURES + 5,
    );
  });

  it('faults of a host are final once there are enough of them, whatever fails between', async () => {
    const each = Array.from({ length: BOUNDED_FAILURES }, () => ['OVERTAKEN', 'HOST_FAULT'] as const).flat();
    const failed: unknown = await attempts('ends', [...each, 'HOST_FAULT']).catch((error: unknown) => error);
    const activity = failed instanceof WorkflowFailedError ? failed.cause : failed;
    const cause = activity instanceof ActivityFailure ? activity.cause : activity;
    expect(cause instanceof ApplicationFailure && [cause.type, cause.message]).toEqual([
      'HOST_FAULT',
      expect.stringContaining(`attempt ${2 * BOUNDED_FAILURES}`),
    ]);
  });
});
