import { closeInheritedDescriptors } from '../sandbox/process/inherited-descriptors.js';
import { checkPlatform } from './supported.js';
import { report } from './terminal/terminal.js';

// a reader such as `head` may close the pipe early: that ends a command, it is not a fault
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  if (error.code !== 'EIO') throw error;
});
// a terminal that is gone prints nothing more: the shutdown continues without it
process.stderr.on('error', () => undefined);

try {
  closeInheritedDescriptors();
  checkPlatform(process.platform, process.versions.node);
  // only now: the rest may not even load on what is refused
  const { runProgram } = await import('./run-program.js');
  const { interruption } = await import('./terminal/interrupt.js');
  process.exitCode = await runProgram(process.argv.slice(2));
  // what hangs in a server that does not answer must not keep an interrupted command alive
  if (interruption() !== null) process.exit();
} catch (error) {
  const asked = (flag: string): boolean => process.argv.includes(flag);
  process.exitCode = report(error, { json: asked('--json'), debug: asked('--debug') });
}
