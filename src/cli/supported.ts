import { AssayError } from '../domain/errors.js';

const OLDEST_NODE = { major: 20, minor: 19 } as const;

/** @throws AssayError PLATFORM_UNSUPPORTED */
export function checkPlatform(platform: string, nodeVersion: string): void {
  if (platform === 'win32')
    throw new AssayError('PLATFORM_UNSUPPORTED', 'assay does not run on Windows itself', {
      remedy: 'Use it inside WSL2, or on Linux or macOS.',
    });
  const [major = 0, minor = 0] = nodeVersion.replace(/^v/, '').split('.').map(Number);
  const { major: wanted, minor: least } = OLDEST_NODE;
  if (major > wanted || (major === wanted && minor >= least)) return;
  throw new AssayError(
    'PLATFORM_UNSUPPORTED',
    `assay needs Node ${wanted}.${least} or later, this is ${nodeVersion}`,
    {
      remedy: `Install Node ${wanted}.${least} or later.`,
    },
  );
}
