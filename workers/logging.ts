import { DefaultLogger, Runtime, type LogLevel } from '@temporalio/worker';

const LEVELS: readonly LogLevel[] = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'];

/** What workers say of themselves goes to stderr from this level on; ASSAY_LOG changes it. */
export const logger = new DefaultLogger(levelOf(process.env.ASSAY_LOG));

function levelOf(asked: string | undefined): LogLevel {
  return LEVELS.find((level) => level === asked?.toUpperCase()) ?? 'ERROR';
}

let installed = false;

/** Once a process, before anything of the SDK's runtime is used. */
export function installLogger(): void {
  if (installed) return;
  installed = true;
  Runtime.install({ logger, shutdownSignals: [] });
}
