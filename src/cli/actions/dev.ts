import { shownAddress } from '../../domain/text/redaction.js';
import { runFleet } from '../use-cases/local-fleet.js';
import { withContext } from '../context.js';
import { endRequest } from '../terminal/interrupt.js';
import { say } from '../terminal/terminal.js';

export async function run(flags: { slots?: string }): Promise<void> {
  await withContext(
    ['temporal', 'store'],
    async ({ servers }) => {
      const { temporal, store } = servers;
      say(`Temporal ${temporal.address}${temporal.uiUrl === null ? '' : `, UI ${temporal.uiUrl}`}`);
      say(`store ${shownAddress(store.url)} (${store.how})`);
      await runFleet(servers, { slots: flags.slots, roles: [], pool: 'cpu' });
    },
    endRequest(),
  );
  say('stopped. `assay dev` continues where this left off.');
}
