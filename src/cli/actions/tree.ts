import { treeModel } from '../../analysis/read-models/tree.js';
import { withContext } from '../context.js';
import { renderTree } from '../render/tree.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

interface Flags extends CommonFlags {
  all?: boolean;
}

export async function run(campaign: string, flags: Flags): Promise<void> {
  await withContext(['store'], async ({ lineage }) => {
    const model = await treeModel(lineage, campaign);
    if (flags.json === true) {
      printJson(model);
      return;
    }
    print(renderTree(model, { all: flags.all === true }));
    say(`\n${model.remark}`);
  });
}
