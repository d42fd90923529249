import { devicesModel } from '../../analysis/read-models/devices.js';
import { withContext } from '../context.js';
import { renderDevices } from '../render/devices.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

export async function run(flags: CommonFlags): Promise<void> {
  await withContext(['store'], async ({ lineage }) => {
    const model = await devicesModel(lineage, new Date());
    if (flags.json === true) {
      printJson(model);
      return;
    }
    if (model.devices.length > 0) print(renderDevices(model.devices, new Date(model.asOf)));
    else
      say(
        'no worker of this store leases accelerators; `assay worker --pool gpu` starts one on a host that has some',
      );
    for (const { host, pool } of model.without) say(`${host}, pool ${pool}: no accelerators`);
  });
}
