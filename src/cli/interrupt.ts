/** Settles at the first Ctrl-C or SIGTERM; the second ends the process at once. */
export function interrupted(): Promise<'SIGINT' | 'SIGTERM'> {
  return new Promise((resolve) => {
    const onSignal = (signal: NodeJS.Signals): void => {
      process.removeListener('SIGINT', onSignal);
      process.removeListener('SIGTERM', onSignal);
      process.once('SIGINT', endAtOnce);
      process.once('SIGTERM', endAtOnce);
      resolve(signal === 'SIGTERM' ? 'SIGTERM' : 'SIGINT');
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}

export const INTERRUPTED = 130;

function endAtOnce(): void {
  process.exit(INTERRUPTED);
}
