import type { Task } from '../../domain/task/task.js';
import { amount } from '../answers.js';

const VERBS = `
- The evaluator asks the server over its standard input and output in frames: 4 bytes of length (little endian), a JSON object of that many bytes, and as many bytes of payload as its field \`bytes\` says. Each answer has the type and id of its request.
- \`hello\` comes first, with \`vocab\`, \`max_context\` (tokens that a request has before its chunk at most), \`chunk\` (tokens scored at a time), \`chunks_total\` and the \`verbs\` that will be used; the answer names the verbs that the server has.
- \`gather\` sends \`context\` + \`count\` tokens and wants float32 log-probabilities of the last \`count\`, each from the tokens before it. \`blind\` sends the tokens before a place and wants the whole row of float32 logits at it. Independent rows are asked by \`rows\` and \`blinds\`, the likeliest next token by \`greedy\`.
- A server that names \`adapt\` among its verbs is sent each chunk once more after it has been scored, and may learn from it before the next: training at test time is allowed in this way and no other. Its seconds count in the evaluation.`.trim();

const TWINS = `
- Two servers of the same artifact run one after the other. The first claims log-probabilities of tokens that it sees; the second, started when the first is dead, is asked blind at secret places and sees nothing from the place on. The score is that of the second in expectation, so a claim that uses a token to predict itself gains nothing, and ends as \`twins_disagree\`, a violation. Answers may depend on the tokens before a place, on chunks given to \`adapt\`, and on nothing else.`.trim();

/** Protocol of a task whose recipe answers as a server, with the seconds that it has; empty for other tasks. */
export function protocolText({ scoring, phases: { serve }, evaluate }: Task): string {
  if (scoring !== 'served' || serve === undefined) return '';
  const servers = serve.twins ? 'both servers, their starts included' : 'the server, its start included';
  return [
    `- \`${serve.run}\` answers as a server, without data and without network. It has ${amount(serve.startup_s)} s to answer its first frame, and the whole evaluation ${amount(evaluate.timeout_s)} s: ${servers}.`,
    VERBS,
    ...(serve.twins ? [TWINS] : []),
  ].join('\n');
}
