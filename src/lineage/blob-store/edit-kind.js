// Plain JavaScript: the thread that compares trees runs it without a compiler.
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { Language, Parser } from 'web-tree-sitter';
import { textOf } from '../../domain/text/diff.js';

/** @typedef {import('../../domain/text/diff.js').Named} Named */
/**
 * Nature of an edit by the syntax trees before and after: `structural`, `constants` where only literals differ,
 * `layout` where only comments, doc strings and spaces do; null where a file of no known language differs.
 * @typedef {'structural' | 'constants' | 'layout' | null} EditKind
 */

const resolve = createRequire(import.meta.url).resolve;
/** Grammars by the endings of files, each with the node types of its literals. */
const GRAMMARS = new Map([
  ['.py', 'tree-sitter-python/tree-sitter-python.wasm'],
  ['.c', 'tree-sitter-c/tree-sitter-c.wasm'],
  ['.h', 'tree-sitter-c/tree-sitter-c.wasm'],
  ['.js', 'tree-sitter-javascript/tree-sitter-javascript.wasm'],
  ['.mjs', 'tree-sitter-javascript/tree-sitter-javascript.wasm'],
]);
/** Literals of all of these grammars. */
const LITERALS = new Set([
  ...['integer', 'float', 'string', 'concatenated_string', 'true', 'false', 'none'],
  ...['number_literal', 'string_literal', 'char_literal', 'number', 'null', 'regex', 'preproc_arg'],
]);
const SIGNED = new Set(['unary_operator', 'unary_expression']);
/** Characters of a file that is parsed. */
const MOST_CHARACTERS = 1_000_000;

/** @type {Map<string, Promise<Parser>>} */
const parsers = new Map();

/**
 * @param {readonly Named[]} before
 * @param {readonly Named[]} after
 * @returns {Promise<EditKind>}
 */
export async function editKind(before, after) {
  const old = new Map(before.map(({ path, bytes }) => [path, bytes]));
  const now = new Map(after.map(({ path, bytes }) => [path, bytes]));
  /** @type {EditKind[]} */
  const kinds = [];
  for (const path of new Set([...old.keys(), ...now.keys()]))
    kinds.push(await fileKind(path, old.get(path), now.get(path)));
  if (kinds.includes('structural')) return 'structural';
  if (kinds.includes(null)) return null;
  return kinds.includes('constants') ? 'constants' : 'layout';
}

/**
 * @param {string} path
 * @param {Uint8Array | null | undefined} before
 * @param {Uint8Array | null | undefined} after
 * @returns {Promise<EditKind>}
 */
async function fileKind(path, before, after) {
  const parser = await parserOf(path);
  if (parser === null) return null;
  // a new file, or one that is gone
  if (before === undefined || after === undefined) return 'structural';
  if (before === null || after === null) return null;
  const [old, now] = [shapeOf(parser, textOf(before)), shapeOf(parser, textOf(after))];
  if (old === null || now === null) return null;
  if (old.structure !== now.structure) return 'structural';
  return old.literals === now.literals ? 'layout' : 'constants';
}

/** @param {string} path */
function parserOf(path) {
  const grammar = GRAMMARS.get(extname(path));
  if (grammar === undefined) return Promise.resolve(null);
  let parser = parsers.get(grammar);
  if (parser === undefined) parsers.set(grammar, (parser = opened(grammar)));
  return parser;
}

/** @param {string} grammar */
async function opened(grammar) {
  await Parser.init();
  const parser = new Parser();
  parser.setLanguage(await Language.load(resolve(grammar)));
  return parser;
}

/**
 * Everything of a syntax tree but its literals, and its literals; null for a text that does not parse.
 * @param {Parser} parser
 * @param {string | null} text
 * @returns {{ structure: string, literals: string } | null}
 */
function shapeOf(parser, text) {
  if (text === null || text.length > MOST_CHARACTERS) return null;
  const tree = parser.parse(text);
  if (tree === null) return null;
  try {
    if (tree.rootNode.hasError) return null;
    return shape(tree.walk(), text);
  } finally {
    tree.delete();
  }
}

/**
 * @param {import('web-tree-sitter').TreeCursor} cursor
 * @param {string} text
 */
function shape(cursor, text) {
  /** @type {string[]} */
  const structure = [];
  /** @type {string[]} */
  const literals = [];
  for (;;) {
    const skipped = visit(cursor, text, structure, literals);
    if (!skipped && cursor.gotoFirstChild()) continue;
    while (!cursor.gotoNextSibling()) {
      if (!cursor.gotoParent()) {
        cursor.delete();
        return { structure: structure.join('\n'), literals: literals.join('\n') };
      }
      structure.push(')');
    }
  }
}

/**
 * Notes a node; returns true where nothing below it is looked at.
 * @param {import('web-tree-sitter').TreeCursor} cursor
 * @param {string} text
 * @param {string[]} structure
 * @param {string[]} literals
 */
function visit(cursor, text, structure, literals) {
  const { nodeType: type } = cursor;
  if (type === 'comment' || isDocString(cursor)) return true;
  const own = () => text.slice(cursor.startIndex, cursor.endIndex);
  if (LITERALS.has(type) || (SIGNED.has(type) && /^[-+]\s*\.?\d[\w.]*(?:[eE][-+]\d+)?$/.test(own()))) {
    // an f-string is made of more than constants
    if (type === 'string' && /^[a-z]*f/i.test(own())) {
      structure.push(own());
      return true;
    }
    structure.push('literal');
    literals.push(own());
    return true;
  }
  structure.push(`${type} (`);
  if (cursor.currentNode.childCount === 0) structure.push(own(), ')');
  return false;
}

/** @param {import('web-tree-sitter').TreeCursor} cursor */
function isDocString(cursor) {
  if (cursor.nodeType !== 'expression_statement') return false;
  const node = cursor.currentNode;
  return node.namedChildCount === 1 && node.namedChild(0)?.type === 'string';
}
