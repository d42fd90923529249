import boundaries from 'eslint-plugin-boundaries';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

/** Which room may import which (last: types only): the arrows of the layout, and nothing else. */
const rooms = [
  ['domain', 'src/domain', []],
  ['sandbox', 'src/sandbox', ['domain']],
  ['devices', 'src/devices', ['domain', 'sandbox']],
  ['lineage', 'src/lineage', ['domain']],
  ['tasks', 'src/tasks', ['domain', 'lineage', 'sandbox']],
  ['measure', 'src/measure', ['domain', 'lineage', 'sandbox', 'devices', 'tasks']],
  ['model', 'src/model', ['domain']],
  ['session', 'src/session', ['domain', 'lineage', 'tasks', 'model']],
  ['reconcile', 'src/reconcile', ['domain', 'lineage', 'measure', 'session']],
  [
    'activities',
    'activities',
    ['domain', 'sandbox', 'devices', 'lineage', 'tasks', 'measure', 'model', 'session', 'reconcile'],
  ],
  ['workflows', 'workflows', ['domain'], ['activities']],
  [
    'workers',
    'workers',
    [
      'domain',
      'sandbox',
      'devices',
      'lineage',
      'tasks',
      'measure',
      'model',
      'session',
      'reconcile',
      'activities',
      'workflows',
    ],
  ],
  ['analysis', 'src/analysis', ['domain', 'lineage']],
  ['dev', 'src/dev', ['domain', 'lineage', 'sandbox', 'tasks', 'model', 'workers']],
  [
    'cli',
    'src/cli',
    [
      'domain',
      'sandbox',
      'devices',
      'lineage',
      'tasks',
      'measure',
      'model',
      'analysis',
      'dev',
      'reconcile',
      'activities',
      'workers',
      'workflows',
    ],
  ],
];

/** Checked with their types: what runs without a compiler is JavaScript with types in its comments. */
const TYPED = ['**/*.ts', 'bin/**/*.js', 'src/**/*.js'];

const inRoom = (type) => ({ element: { type } });
const arrows = ([type, , allow, types = []]) => ({
  from: inRoom(type),
  allow: [
    ...[type, ...allow].map((to) => ({ to: inRoom(to) })),
    ...types.map((to) => ({ to: inRoom(to), dependency: { kind: 'type' } })),
  ],
});

const only = (name, message) => ({ name, message });
const MONGODB = only('mongodb', 'Only src/lineage talks to the store.');
const ANTHROPIC = only('@anthropic-ai/sdk', 'Only src/model talks to a model.');
const EXECA = only('execa', 'Only src/sandbox and src/dev start processes.');
const IO = [
  'fs',
  'fs/promises',
  'child_process',
  'net',
  'http',
  'https',
  'os',
  'path',
  'timers',
  'timers/promises',
].flatMap((module) => [only(module, 'No I/O here.'), only(`node:${module}`, 'No I/O here.')]);
const TEMPORAL = {
  group: ['@temporalio/*'],
  message: 'What this room needs of Temporal is handed to it by activities/.',
};
const restrict = (...paths) => ({ 'no-restricted-imports': ['error', { paths: paths.flat() }] });
/** The same for a room that knows nothing of Temporal. */
const restrictPlain = (...paths) => ({
  'no-restricted-imports': ['error', { paths: paths.flat(), patterns: [TEMPORAL] }],
});

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.assay/', 'coverage/', '.*.ts'] },
  ...tseslint.configs.strictTypeChecked.map((config) => ({ ...config, files: TYPED })),
  {
    files: TYPED,
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { ignoreRestSiblings: true, argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      'no-console': 'error',
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['src/**/*.ts', 'workflows/**/*.ts', 'activities/**/*.ts', 'workers/**/*.ts'],
    plugins: { boundaries },
    settings: {
      'boundaries/elements': rooms.map(([type, pattern]) => ({ type, pattern })),
      'import/resolver': { typescript: { project: './tsconfig.json' } },
    },
    rules: {
      'boundaries/dependencies': ['error', { default: 'disallow', policies: rooms.map(arrows) }],
    },
  },
  { files: ['src/domain/**/*.ts'], rules: restrictPlain(MONGODB, ANTHROPIC, EXECA, IO) },
  {
    files: ['workflows/**/*.ts'],
    rules: restrict(MONGODB, ANTHROPIC, EXECA, IO, only('node:crypto', 'Not in the workflow sandbox.')),
  },
  { files: ['src/lineage/**/*.ts'], rules: restrictPlain(ANTHROPIC, EXECA) },
  { files: ['src/model/**/*.ts'], rules: restrictPlain(MONGODB, EXECA) },
  { files: ['src/{sandbox,devices}/**/*.ts'], rules: restrictPlain(MONGODB, ANTHROPIC) },
  { files: ['src/dev/**/*.ts'], rules: restrict(MONGODB, ANTHROPIC) },
  { files: ['src/{tasks,measure,session}/**/*.ts'], rules: restrictPlain(MONGODB, ANTHROPIC, EXECA) },
  {
    files: ['src/{analysis,cli}/**/*.ts', 'activities/**/*.ts', 'workers/**/*.ts'],
    rules: restrict(MONGODB, ANTHROPIC, EXECA),
  },
  prettier,
);
