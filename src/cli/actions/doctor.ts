import { survey } from '../../dev/survey/survey.js';
import { homeFolder } from '../folders.js';
import { renderDoctor } from '../render/doctor.js';
import { onStdout } from '../render/paint.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

/** Without these nothing runs; the others only make it weaker. */
const ESSENTIAL = ['Platform', 'Node', 'Python', 'Temporal', 'Store'];

const ENVIRONMENT = 3;

export async function run(flags: CommonFlags): Promise<void> {
  const found = await survey({ home: homeFolder() });
  const findings = found.map((each) => ({
    ...each,
    essential: each.essential ?? isEssential(each.part),
  }));
  const ok = findings.every((each) => each.ok || !each.essential);
  if (flags.json === true) printJson({ schema: 'assay.doctor/1', ok, findings });
  else print(renderDoctor(findings, onStdout));
  if (!ok) process.exitCode = ENVIRONMENT;
  else if (flags.json !== true) say('\nassay can run here; `assay demo` measures a small campaign');
}

function isEssential(part: string): boolean {
  return ESSENTIAL.some((name) => part.toLowerCase().startsWith(name.toLowerCase()));
}
