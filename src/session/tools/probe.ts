import { callKey } from '../../domain/keys.js';
import type { ProbeResult } from '../../domain/session/bench.js';
import type { SessionProbe } from '../../lineage/documents/session.js';
import { benchOf, refused, said, type Answer, type CallContext } from './answer.js';
import { printed } from './printed.js';

/** A call of a probe; without a command it is the task's profile. */
interface ProbeCall {
  tool: 'probe' | 'profile';
  hypothesis: string;
  command: string | null;
  timeoutS: number | null;
}

/** Attempts at one probe: each of the others was cut off with its worker. */
const MOST_ATTEMPTS = 2;
/** Characters of its output that reach the model, from its end. */
const TAIL = 12_000;
/** Points of its progress that do. */
const POINTS = 12;

/** Runs a command on the training data, which is charged and recorded, and is no trial. */
export async function probe(context: CallContext, call: ProbeCall): Promise<Answer> {
  const { lineage, call: at, frozen, spec, workspace, monitor } = context;
  if (call.tool === 'profile' && spec.phases.profile === undefined)
    return refused(context, 'The task has no profile. probe runs a command of yours.');
  const key = callKey(at.session, at.turn, at.index);
  const { role, probes, probesBegun } = await lineage.sessions.get(at.session);
  const begun = probesBegun.filter((attempt) => attempt.startsWith(`${key}/`));
  // those were cut off: what they took is not known
  for (const attempt of begun) await lineage.budgets.giveUp(at.owner, chargeKey(attempt), 'probe');
  const others = probes.filter((one) => one.call !== key).length;
  if (others >= frozen.probes)
    return refused(
      context,
      `This session has made its ${frozen.probes} probes. submit_trial and check work.`,
    );
  const record = recordOf(call, key);
  if (begun.length >= MOST_ATTEMPTS) {
    const ended = `lost with its worker ${begun.length} times`;
    await lineage.sessions.addProbe(at.session, { ...record, ended });
    return refused(
      context,
      `The probe was ${ended}, and is not run again; it was charged with the most that it may take each time.`,
    );
  }
  const begin = async (): Promise<string> => {
    const attempt = `${key}/${begun.length + 1}`;
    await lineage.sessions.beginProbe(at.session, attempt);
    return chargeKey(attempt);
  };
  const asked = { command: call.command, timeoutS: call.timeoutS, snapshot: workspace.snapshot };
  const result = await benchOf(context).probe({ owner: at.owner, role, ...asked, begin }, monitor);
  if (!result.ran) return refused(context, result.refusal);
  const { command, wallMs, exit, ended, log } = result;
  const output = await lineage.blobs.put(log);
  await lineage.sessions.addProbe(at.session, { ...record, command, wallMs, exit, ended, output });
  const left = frozen.probes - others - 1;
  return { ...said(context, answerText(result, left)), isError: exit === null };
}

const chargeKey = (attempt: string): string => `probe/${attempt}`;

const recordOf = ({ tool, hypothesis, command }: ProbeCall, key: string): SessionProbe => ({
  ...{ call: key, kind: tool, hypothesis, command: command ?? tool },
  ...{ wallMs: null, exit: null, ended: '', output: null, at: new Date() },
});

function answerText(result: Extract<ProbeResult, { ran: true }>, left: number): string {
  const { log, progress } = result;
  const cut = log.length > TAIL ? `… (the first ${log.length - TAIL} characters are left out)\n` : '';
  const text = printed({ ...result, log: `${cut}${log.slice(-TAIL)}` });
  const shown = progress.slice(-POINTS).map(({ share, value }) => `${Math.round(100 * share)} %: ${value}`);
  const curve = shown.length === 0 ? '' : `\nprogress, last points: ${shown.join('; ')}`;
  return `${text}${curve}\nProbes left in this session: ${left}. No trial was spent.`;
}
