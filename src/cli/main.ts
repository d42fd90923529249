import { checkPlatform } from './supported.js';
import { report } from './terminal.js';

// a reader such as `head` may close the pipe early: that ends a command, it is not a fault
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  checkPlatform(process.platform, process.versions.node);
  // only now: the rest may not even load on what is refused
  const { runProgram } = await import('./run-program.js');
  process.exitCode = await runProgram(process.argv.slice(2));
} catch (error) {
  process.exitCode = report(error, process.argv.includes('--debug'));
}
