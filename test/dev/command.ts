import { findServers } from '../../src/dev/servers.js';

// A command of its own process: finds the store, tells what it has on one line, and works until it is ended.
const [home = '', ending = 'stop'] = process.argv.slice(2);
const servers = await findServers({
  home,
  need: ['store'],
  say: (line) => process.stderr.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify({ url: servers.store.url, alone: servers.alone })}\n`);
if (ending === 'hold')
  await new Promise((resolve) => process.stdin.once('data', resolve).once('end', resolve));
await servers.stop();
process.exit(0);
