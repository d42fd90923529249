import { runFleet } from '../use-cases/local-fleet.js';
import { withContext } from '../context.js';
import { endRequest } from '../terminal/interrupt.js';
import { say } from '../terminal/terminal.js';

interface Flags {
  pool: string;
  slots?: string;
}

export async function run(roles: string[], { pool, slots }: Flags): Promise<void> {
  await withContext(
    ['temporal', 'store'],
    async ({ servers }) => {
      await runFleet(servers, { slots, roles, pool });
    },
    endRequest(),
  );
  say('stopped. What was in flight is taken up by the next worker of these roles.');
}
