import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, inject, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { SEARCH_ATTRIBUTES } from '../../src/domain/campaign/campaign.js';
import { findTemporalProgram } from '../../src/dev/temporal/temporal-program.js';
import { ROLES } from '../../workers/role-names.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const condition = z.enum(['service_healthy', 'service_completed_successfully']);
const serviceSchema = z.looseObject({
  image: z.string(),
  build: z.string().optional(),
  environment: z.record(z.string(), z.string()).default({}),
  command: z.array(z.string()).default([]),
  entrypoint: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition })).default({}),
  healthcheck: z.looseObject({ test: z.array(z.string()) }).optional(),
  restart: z.string(),
});
const compose = z
  .looseObject({ services: z.record(z.string(), serviceSchema), volumes: z.record(z.string(), z.null()) })
  .parse(parse(text('docker-compose.yml'), { merge: true }));
const services = Object.entries(compose.services);
const ours = services.filter(([, service]) => service.build !== undefined);

/** `NAME` of every `${NAME…}` in a text. */
const variablesIn = (source: string): string[] =>
  Array.from(source.matchAll(/\$\{([A-Z_]+)/g), (match) => match[1] ?? '');

describe('the compose file', () => {
  it.each(services)('gives %s an exact version', (_, { image }) => {
    expect(image).toMatch(/^[a-z/-]+:\d+\.\d+\.?\d*[a-z0-9-]*$/);
  });

  it('builds its own image on an exact version, with the version of the package', () => {
    expect(text('Dockerfile')).toMatch(/^FROM node:20\.\d+\.\d+-bookworm-slim$/m);
    const { version } = z.object({ version: z.string() }).parse(JSON.parse(text('package.json')));
    for (const [, { image }] of ours) expect(image).toBe(`assay:${version}`);
  });

  it.each(services)(
    'waits in %s only for services that end or are checked as it says',
    (_, { depends_on: needs }) => {
      for (const [name, { condition: wanted }] of Object.entries(needs)) {
        const needed = compose.services[name];
        expect(needed, name).toBeDefined();
        const ends = needed?.restart.startsWith('on-failure') === true;
        if (wanted === 'service_healthy') expect(needed?.healthcheck, name).toBeDefined();
        else expect(ends, name).toBe(true);
      }
    },
  );

  it.each(services)('mounts into %s only files and volumes that exist', (_, { volumes }) => {
    for (const volume of volumes) {
      const [from = ''] = volume.split(':');
      if (from.startsWith('.')) expect(existsSync(join(ROOT, from)), from).toBe(true);
      else expect(Object.keys(compose.volumes)).toContain(from);
    }
  });

  it.each(services)(
    'starts %s with scripts that exist where they are mounted',
    (_, { entrypoint, volumes }) => {
      for (const script of entrypoint.filter((part) => /^\/.*-config\//.test(part))) {
        const mount = volumes
          .map((volume) => volume.split(':'))
          .find(([, to = '']) => script.startsWith(`${to}/`));
        expect(existsSync(join(ROOT, mount?.[0] ?? '', script.slice(mount?.[1]?.length))), script).toBe(true);
      }
    },
  );

  it('opens ports on this host alone', () => {
    for (const [, { ports }] of services) for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });
});

describe('secrets', () => {
  it.each(services)('of %s come from the environment', (_, { environment }) => {
    for (const [name, value] of Object.entries(environment)) {
      if (/PASSWORD|PWD|KEY|SECRET|TOKEN/.test(name))
        expect(value, name).toMatch(/^\$\{[A-Z_]+(?::\?[^}]+|:-)\}$/);
      // a URL without its variables contains no password
      expect(value.replace(/\$\{[^}]*\}/g, ''), name).not.toMatch(/:\/\/[^@/]*:[^@/]+@/);
    }
  });

  it('and every other variable are listed in .env.example, the secrets empty', () => {
    const lines = text('.env.example')
      .split('\n')
      .filter((line) => /^[A-Z_]+=/.test(line));
    const listed = new Map(
      lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    expect(new Set(listed.keys())).toEqual(new Set(variablesIn(text('docker-compose.yml'))));
    for (const [name, value] of listed) if (/PASSWORD|KEY/.test(name)) expect(value, name).toBe('');
  });

  it('stay out of git and out of the image', () => {
    expect(text('.gitignore').split('\n')).toContain('.env');
    expect(text('.dockerignore').split('\n')[0]).toBe('*');
    expect(text('.dockerignore')).not.toContain('!.env');
  });

  it('of the model reach the model worker alone', () => {
    const having = services.filter(([, { environment }]) => 'ANTHROPIC_API_KEY' in environment);
    expect(having.map(([name]) => name)).toEqual(['model']);
  });
});

describe('the workers', () => {
  it('are every role, once', () => {
    const roles = ours.flatMap(([, { command }]) =>
      command[0] === 'worker'
        ? command.slice(1).filter((word) => /^[a-z]+$/.test(word) && word !== 'cpu')
        : [],
    );
    expect(roles.toSorted()).toEqual([...ROLES].toSorted());
  });

  it('are started with commands and options that exist', async () => {
    for (const [name, { command }] of ours) {
      const { stdout } = await execa(process.execPath, [
        join(ROOT, 'bin/assay.js'),
        command[0] ?? '',
        '--help',
      ]);
      for (const option of command.filter((word) => word.startsWith('--')))
        expect(stdout, name).toContain(option);
    }
  });

  it('are told nothing that the code does not read', async () => {
    const { stdout } = await execa(
      'grep',
      ['-rhoE', '(ASSAY|TEMPORAL|ANTHROPIC)_[A-Z_]+', 'src', 'workers'],
      { cwd: ROOT },
    );
    const read = new Set(stdout.split('\n'));
    for (const [, { environment }] of ours)
      for (const name of Object.keys(environment)) expect(read, name).toContain(name);
  });

  it('copy into the image what they run from', () => {
    const copied = Array.from(text('Dockerfile').matchAll(/^COPY (.+) \S+$/gm), (match) => match[1] ?? '');
    const paths = copied.flatMap((paths) => paths.split(' '));
    for (const path of paths) {
      expect(existsSync(join(ROOT, path)), path).toBe(true);
      expect(text('.dockerignore').split('\n')).toContain(`!${path}`);
    }
    for (const room of [
      ...['bin', 'src', 'activities', 'workflows', 'workers'],
      ...['tasks', 'task-templates', 'evaluator-kit'],
    ])
      expect(paths).toContain(room);
  });
});

describe('temporal-config/setup.sh', () => {
  it('makes the namespace and every search attribute of ours on a real server, and may be run again', async () => {
    const { file } = await findTemporalProgram(() => undefined);
    const namespace = `deploy-${process.pid}`;
    const env = {
      PATH: `${join(file, '..')}:${process.env['PATH'] ?? ''}`,
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      TEMPORAL_NAMESPACE: namespace,
      RETENTION: '48h',
    };
    const setup = (): Promise<unknown> => execa('sh', [join(ROOT, 'temporal-config/setup.sh')], { env });
    await setup();
    await setup();
    const list = await execa(file, ['operator', 'search-attribute', 'list', '--output', 'json'], { env });
    for (const name of SEARCH_ATTRIBUTES) expect(list.stdout).toContain(name);
    const described = await execa(file, ['operator', 'namespace', 'describe', '--output', 'json'], { env });
    expect(described.stdout).toContain('172800s');
  });
});
