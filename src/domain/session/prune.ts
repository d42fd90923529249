import type { Exchange, ReplyBlock, Usage } from './conversation.js';

/** Room that a conversation may take, in tokens. */
export interface Room {
  /** Old parts are left out where a request would be larger. */
  limit: number;
  /** Estimate of what every request has beside its exchanges: tools, system prompt, opening. */
  base: number;
}

/** A conversation as it is sent, with an estimate of the request's tokens. */
export interface Pruned<E> {
  exchanges: E[];
  tokens: number;
  /** Number of the oldest exchanges that are sent without their long parts. */
  cut: number;
}

/** Newest exchanges that always stay whole. */
export const KEPT_WHOLE = 3;
/** Text of an old call or answer that is short enough to stay. */
const SHORT = 400;
/** Share of the limit that is left after pruning, so that the next request in need of it is many turns away. */
const LOW_WATER = 0.5;
/** A step that saves less than this share of the limit is not worth a cache that begins anew. */
const LEAST_SAVED = 0.1;

/** Characters of code and text for each token; few, so that the estimate is rather too high. */
export const tokensOfText = (characters: number): number => Math.ceil(characters / 3);

/** All tokens that a reply's next request begins with. */
const tokensAfter = ({ inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens }: Usage): number =>
  inputTokens + cacheReadTokens + cacheWriteTokens + outputTokens;

/**
 * Leaves out long tool answers and whole files of old exchanges where the conversation has outgrown its room. How much is
 * cut follows from the exchanges alone, turn by turn, so that a repeated request is the same; it is cut in large steps,
 * so that a cached prefix lasts for many turns.
 */
export function pruned<E extends Exchange>(exchanges: readonly E[], room: Room): Pruned<E> {
  const short = exchanges.map(shortened);
  const size = exchanges.map(sizeOf);
  const shortSize = short.map(sizeOf);
  const least = (index: number): number => Math.max(0, (size[index] ?? 0) - (shortSize[index] ?? 0)) / 4;
  let cut = 0;
  let tokens = room.base;
  for (let turns = 1; turns <= exchanges.length; turns += 1) {
    tokens = estimate(
      exchanges.slice(0, turns),
      room,
      (index) => (index < cut ? shortSize : size)[index] ?? 0,
    );
    if (tokens <= room.limit) continue;
    const step = stepOf({ cut, turns, tokens, limit: room.limit }, least);
    if (step.saved < LEAST_SAVED * room.limit) continue;
    cut = step.cut;
    tokens -= Math.floor(step.saved);
  }
  return {
    exchanges: exchanges.map((exchange, at) => (at < cut ? (short[at] ?? exchange) : exchange)),
    tokens,
    cut,
  };
}

/** From what the provider counted last and what was added since; where it counts nothing, from all text. */
function estimate(exchanges: readonly Exchange[], { base }: Room, sizeAt: (index: number) => number): number {
  const last = exchanges.at(-1);
  const counted = last === undefined ? 0 : tokensAfter(last.reply.usage);
  if (last !== undefined && counted > last.reply.usage.outputTokens)
    return counted + tokensOfText(answersSize(last));
  return exchanges.reduce((sum, _, index) => sum + tokensOfText(sizeAt(index)), base);
}

function stepOf(
  { cut, turns, tokens, limit }: { cut: number; turns: number; tokens: number; limit: number },
  least: (index: number) => number,
): { cut: number; saved: number } {
  let saved = 0;
  let at = cut;
  while (at < turns - KEPT_WHOLE && tokens - saved > LOW_WATER * limit) {
    saved += least(at);
    at += 1;
  }
  return { cut: at, saved };
}

const answersSize = ({ answers }: Exchange): number =>
  answers.reduce((sum, { text }) => sum + text.length, 0);
const sizeOf = (exchange: Exchange): number =>
  JSON.stringify(exchange.reply.content).length + answersSize(exchange);

/** An exchange without its long parts; each call keeps its answer, and each says what stood there. */
function shortened<E extends Exchange>(exchange: E): E {
  const content = exchange.reply.content.map(shortBlock);
  const answers = exchange.answers.map((answer) =>
    answer.text.length <= SHORT
      ? answer
      : {
          ...answer,
          text: `${firstLine(answer.text)}\n[${leftOut(answer.text)}; call the tool again to see it]`,
        },
  );
  return { ...exchange, reply: { ...exchange.reply, content }, answers };
}

function shortBlock(block: ReplyBlock): ReplyBlock {
  if (block.type !== 'tool_use' || !('input' in block)) return block;
  const { input } = block;
  if (typeof input !== 'object' || input === null || !('file_text' in input)) return block;
  const { file_text: text } = input;
  if (typeof text !== 'string' || text.length <= SHORT) return block;
  return {
    ...block,
    input: { ...input, file_text: `[${leftOut(text)}; view the file to see what it is now]` },
  };
}

const leftOut = (text: string): string =>
  `${text.length} characters, left out of this old part of the conversation`;

function firstLine(text: string): string {
  const line = text.split('\n', 1)[0] ?? '';
  return line.length <= SHORT / 2
    ? line
    : `${Array.from(line.slice(0, SHORT / 2))
        .slice(0, -1)
        .join('')}…`;
}
