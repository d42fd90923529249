import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NamespaceMissing } from '../../src/dev/temporal/namespace-missing.js';
import { askTemporal } from '../../src/dev/temporal/temporal-health.js';
import { findTemporalProgram } from '../../src/dev/temporal/temporal-program.js';
import { startTemporal, type TemporalServer } from '../../src/dev/temporal/temporal-server.js';

let home: string;
let server: TemporalServer;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'assay-temporal-'));
  const program = await findTemporalProgram(() => undefined);
  server = await startTemporal({ home, program, namespace: 'default' });
});

afterAll(async () => {
  await server.stop();
  await rm(home, { recursive: true, force: true });
});

it('a namespace that it does not have is told from a server that does not answer', async () => {
  await expect(askTemporal(server.address, 'elsewhere', 10_000)).rejects.toBeInstanceOf(NamespaceMissing);
  await expect(askTemporal(server.address, 'default', 10_000)).resolves.toMatch(/\d/);
  await expect(askTemporal('127.0.0.1:9', 'default', 10_000)).rejects.not.toBeInstanceOf(NamespaceMissing);
});

it('a workflow that was started is still there after the server was killed', async () => {
  const task = defineSearchAttributeKey('AssayTask', 'KEYWORD');
  const started = await Connection.connect({ address: server.address });
  await new Client({ connection: started }).workflow.start('nobody', {
    workflowId: 'kept',
    taskQueue: 'nobody',
    typedSearchAttributes: [{ key: task, value: 'small' }],
  });
  await started.close();
  const before = server.pid;
  await server.kill();
  expect(await server.isAlive()).toBe(false);
  await server.restart();
  expect(server.pid).not.toBe(before);
  const connection = await Connection.connect({ address: server.address });
  const found = await new Client({ connection }).workflow.getHandle('kept').describe();
  await connection.close();
  expect(found.status.name).toBe('RUNNING');
  expect(found.typedSearchAttributes.get(task)).toBe('small');
});
