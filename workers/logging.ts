import { DefaultLogger, makeTelemetryFilterString, Runtime, type LogLevel } from '@temporalio/worker';

const LEVELS: readonly LogLevel[] = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'];

const level = levelOf(process.env.ASSAY_LOG);

/** Logs workers on stderr from this level on; ASSAY_LOG changes it. */
export const logger = new DefaultLogger(level);

function levelOf(asked: string | undefined): LogLevel {
  return LEVELS.find((level) => level === asked?.toUpperCase()) ?? 'ERROR';
}

let installed = false;

/** Once a process, before anything of the SDK's runtime is used. */
export function installLogger(): void {
  if (installed) return;
  installed = true;
  const filter = makeTelemetryFilterString({ core: level, other: 'ERROR' });
  Runtime.install({ logger, shutdownSignals: [], telemetryOptions: { logging: { filter } } });
}
