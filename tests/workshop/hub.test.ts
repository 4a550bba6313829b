/** What a hub does for a learner before their server starts, and the files that say how hubs are deployed. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ROOT, VENV_PYTHON } from '../../src/cli/jupyter/paths.ts';
import { run } from '../../src/cli/jupyter/run.ts';
import { copyCourse } from '../../src/workshop/hub/course-copy.ts';
import { joinRoomOfHub, parseRoom } from '../../src/workshop/hub/room-of-hub.ts';
import { parseYaml, yamlObstacle } from './yaml.ts';

const HUB = join(ROOT, 'src/workshop/hub');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lab-hub-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the course in a learner's folder", () => {
  const course = () => join(folder, 'course');
  const home = () => join(folder, 'home', 'notebooks');
  const copy = () => copyCourse(course(), home(), join(folder, 'home', '.config', 'course.json'));
  const write = (at: string, texts: Readonly<Record<string, string>>) => {
    mkdirSync(at, { recursive: true });
    for (const [name, text] of Object.entries(texts)) writeFileSync(join(at, name), text);
  };
  const there = (): Record<string, string> =>
    Object.fromEntries(readdirSync(home()).map((name) => [name, readFileSync(join(home(), name), 'utf8')]));

  it('is put there at the first start, notebooks alone', async () => {
    write(course(), { '00-a.ipynb': 'a1', '01-b.ipynb': 'b1', 'other.txt': 'x' });
    expect(await copy()).toEqual({ added: ['00-a.ipynb', '01-b.ipynb'], updated: [], kept: [] });
    expect(there()).toEqual({ '00-a.ipynb': 'a1', '01-b.ipynb': 'b1' });
  });

  it('never touches what the learner has changed, and brings the rest up to date', async () => {
    write(course(), { '00-a.ipynb': 'a1', '01-b.ipynb': 'b1', '02-c.ipynb': 'c1' });
    await copy();
    write(home(), { '00-a.ipynb': 'my answer', 'own.ipynb': 'mine' });
    write(course(), { '00-a.ipynb': 'a2', '01-b.ipynb': 'b2', '03-d.ipynb': 'd2' });
    expect(await copy()).toEqual({
      added: ['03-d.ipynb'],
      updated: ['01-b.ipynb'],
      kept: ['00-a.ipynb', '02-c.ipynb'],
    });
    expect(there()).toEqual({
      '00-a.ipynb': 'my answer',
      '01-b.ipynb': 'b2',
      '02-c.ipynb': 'c1',
      '03-d.ipynb': 'd2',
      'own.ipynb': 'mine',
    });
  });

  it('keeps what was there before, also without or with a damaged record', async () => {
    write(course(), { '00-a.ipynb': 'a1' });
    write(home(), { '00-a.ipynb': 'older' });
    expect((await copy()).kept).toEqual(['00-a.ipynb']);
    write(join(folder, 'home', '.config'), { 'course.json': '{"00-a.ipynb":' });
    expect((await copy()).kept).toEqual(['00-a.ipynb']);
    expect(there()).toEqual({ '00-a.ipynb': 'older' });
  });

  it('follows no link that stands in its place', async () => {
    write(course(), { '00-a.ipynb': 'a1' });
    write(folder, { elsewhere: 'untouched' });
    mkdirSync(home(), { recursive: true });
    symlinkSync(join(folder, 'elsewhere'), join(home(), '00-a.ipynb'));
    expect((await copy()).kept).toEqual(['00-a.ipynb']);
    expect(readFileSync(join(folder, 'elsewhere'), 'utf8')).toBe('untouched');
  });

  it('says what the file system says, and leaves nothing half written', async () => {
    write(course(), { '00-a.ipynb': 'a1' });
    write(join(folder, 'home'), { notebooks: 'a file' });
    await expect(copy()).rejects.toThrow(/EEXIST|ENOTDIR/);
    expect(readdirSync(join(folder, 'home'))).toEqual(['notebooks']);
  });
});

describe('the room of a hub', () => {
  const REPLY = {
    room: { id: 1, title: 'Monday', asksForCode: false },
    learner: { id: 7, name: 'ada' },
    token: 't',
  };
  let server: Server | undefined;

  beforeEach(() => {
    process.env.LLM_LAB_STATE = join(folder, 'state');
  });
  afterEach(() => {
    delete process.env.LLM_LAB_STATE;
    server?.close();
    server = undefined;
  });

  /** A server that answers the requests one after the other with these. */
  async function serve(port: number, ...answers: readonly { status: number; body: unknown }[]) {
    const asked: string[] = [];
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on('end', () => {
        asked.push(body);
        const answer = answers[asked.length - 1] ?? { status: 500, body: {} };
        response.writeHead(answer.status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(answer.body));
      });
    });
    await new Promise<void>((done) => server?.listen(port, '127.0.0.1', done));
    const address = server.address();
    return { asked, port: typeof address === 'object' && address !== null ? address.port : 0 };
  }
  const ada = { name: 'ada', identity: 'ada@example.org' };

  it('is the address that its QR code holds', () => {
    expect(parseRoom('https://lab.example.org/join#k7m4-2qxa')).toEqual({
      server: 'https://lab.example.org',
      code: 'K7M42QXA',
    });
    for (const text of [
      '',
      'K7M42QXA',
      'https://lab.example.org/join',
      'ftp://lab.example.org/join#K7M42QXA',
    ]) {
      expect(() => parseRoom(text), text).toThrow(/LLM_LAB_ROOM must be the address/);
    }
  });

  it('is joined with the name and the proof of who it is, once', async () => {
    const { asked, port } = await serve(0, { status: 200, body: REPLY });
    const room = parseRoom(`http://127.0.0.1:${port}/join#K7M42QXA`);
    expect((await joinRoomOfHub(room, ada)).learner.name).toBe('ada');
    expect(asked.map((body): unknown => JSON.parse(body))).toEqual([
      { code: 'K7M42QXA', name: 'ada', pseudonym: false, identity: 'ada@example.org' },
    ]);
    expect((await joinRoomOfHub(room, ada)).token).toBe('t');
    expect(asked).toHaveLength(1);
  });

  it('is joined as soon as its server can be reached', async () => {
    const { port } = await serve(0);
    await new Promise((done) => server?.close(done));
    const joining = joinRoomOfHub(parseRoom(`http://127.0.0.1:${port}/join#K7M42QXA`), ada);
    const { asked } = await serve(
      port,
      { status: 503, body: { message: 'later' } },
      { status: 200, body: REPLY },
    );
    expect((await joining).room.title).toBe('Monday');
    expect(asked).toHaveLength(2);
  });

  it('is given up when its server says no', async () => {
    const { asked, port } = await serve(0, {
      status: 404,
      body: { message: 'There is no room with this code.' },
    });
    const room = parseRoom(`http://127.0.0.1:${port}/join#K7M42QXA`);
    await expect(joinRoomOfHub(room, ada)).rejects.toThrow('There is no room with this code.');
    expect(asked).toHaveLength(1);
  });
});

describe('the configuration of the hub', () => {
  const missing = yamlObstacle();
  const LTI = {
    LLM_LAB_HUB_LOGIN: 'lti',
    LLM_LAB_HUB_LTI_ISSUER: 'https://platform.invalid',
    LLM_LAB_HUB_LTI_CLIENT: 'one,two',
    LLM_LAB_HUB_LTI_AUTHORIZE: 'https://platform.invalid/login',
    LLM_LAB_HUB_LTI_KEYS: 'https://platform.invalid/keys',
  };

  /** Loads it as the hub does, without a hub. */
  async function load(env: Readonly<Record<string, string>>) {
    const script =
      'import json, sys; from traitlets.config.loader import PyFileConfigLoader as L; ' +
      'print(json.dumps(L("jupyterhub_config.py", sys.argv[1]).load_config(), default=lambda o: sorted(o)))';
    const { code, output } = await run([VENV_PYTHON, '-c', script, HUB], { env });
    return { code, text: output.join('\n') };
  }

  it.for<[Readonly<Record<string, string>>, RegExp]>([
    [{}, /LLM_LAB_HUB_LOGIN is not set/],
    [{ LLM_LAB_HUB_LOGIN: 'dummy' }, /must be lti, oauth or native, got 'dummy'/],
    [{ LLM_LAB_HUB_LOGIN: 'lti' }, /LLM_LAB_HUB_LTI_ISSUER is not set/],
    [{ LLM_LAB_HUB_LOGIN: 'oauth' }, /OAUTH_CLIENT_ID is not set/],
    [{ ...LTI, LLM_LAB_HUB_MEMORY: 'much' }, /LLM_LAB_HUB_MEMORY must be like 2G or 512M, got 'much'/],
    [{ ...LTI, LLM_LAB_HUB_CPUS: '-1' }, /LLM_LAB_HUB_CPUS must be a number above 0, got '-1'/],
    [{ ...LTI, LLM_LAB_HUB_IDLE: '5' }, /LLM_LAB_HUB_IDLE must be a number above 59, got '5'/],
    [{ ...LTI, LLM_LAB_ROOM: 'https://lab.example.org' }, /LLM_LAB_ROOM must be the address/],
  ])('refuses %j with one sentence', async ([env, sentence], { skip }) => {
    if (missing !== undefined) skip(missing);
    const { code, text } = await load(env);
    expect(text).toMatch(sentence);
    expect(text.split('\n')).toHaveLength(1);
    expect(code).toBe(1);
  });

  it('limits learners, keeps their volume and ends idle servers', async ({ skip }) => {
    if (missing !== undefined) skip(missing);
    const { code, text } = await load({ ...LTI, LLM_LAB_ROOM: 'https://lab.example.org/join#K7M42QXA' });
    expect(code).toBe(0);
    const config: unknown = JSON.parse(text);
    expect(config).toMatchObject({
      JupyterHub: { spawner_class: 'dockerspawner.DockerSpawner', services: [{ name: 'idle-culler' }] },
      LTI13Authenticator: { client_id: ['one', 'two'] },
      Spawner: {
        mem_limit: '2G',
        cpu_limit: 2,
        environment: { LLM_LAB_ROOM: 'https://lab.example.org/join#K7M42QXA' },
      },
      DockerSpawner: { remove: true, volumes: { 'llm-lab-{username}': '/home/learner' } },
    });
    expect(text).not.toMatch(/dummy/i);
  });

  it('lets only those in who are named, where names are given', async ({ skip }) => {
    if (missing !== undefined) skip(missing);
    const { text } = await load({ ...LTI, LLM_LAB_HUB_ALLOWED: 'ada, bob' });
    expect(JSON.parse(text)).toMatchObject({
      Authenticator: { allow_all: false, allowed_users: ['ada', 'bob'] },
    });
  });
});

describe('the files of a deployment', () => {
  const missing = yamlObstacle();
  const read = (name: string): string => readFileSync(join(HUB, name), 'utf8');
  /** Every value with one of these keys, anywhere below. */
  function all(value: unknown, key: string): unknown[] {
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([name, below]) => [
      ...(name === key ? [below] : []),
      ...all(below, key),
    ]);
  }
  /** Programs of this repository that commands name must be there. */
  function expectPrograms(text: string): void {
    const named = [...text.matchAll(/\/opt\/llm-lab\/((?:src|notebooks)\/[\w./-]+)/g)].map(
      ([, path = '']) => path,
    );
    expect(named.length).toBeGreaterThan(0);
    for (const path of named) expect(existsSync(join(ROOT, path)), path).toBe(true);
  }

  it('say nothing of a password', () => {
    for (const name of [
      'Dockerfile',
      'compose.yaml',
      'kubernetes/values.yaml',
      'kubernetes/lab.yaml',
      'jupyterhub_config.py',
    ])
      expect(read(name), name).not.toMatch(/(?:password|secret|token)\w*\s*[:=]\s*['"]?[\w-]{8,}['"]?\s*$/im);
  });

  it('values for the chart: the same command, limits and patience as the hub of one machine', ({ skip }) => {
    if (missing !== undefined) skip(missing);
    const [values] = parseYaml(read('kubernetes/values.yaml'));
    expect(values).toMatchObject({
      singleuser: {
        cmd: ['node', '/opt/llm-lab/src/workshop/hub/start-learner.ts'],
        defaultUrl: '/lab/tree/notebooks/00-start-here.ipynb',
        cpu: { limit: 2, guarantee: 0.1 },
        memory: { limit: '2G', guarantee: '640M' },
        storage: { homeMountPath: '/home/learner' },
        uid: 1000,
      },
      cull: { enabled: true, timeout: 3600, every: 300, users: false },
    });
    const [gpu] = all(values, 'extra_resource_limits');
    expect(gpu).toEqual({ 'nvidia.com/gpu': '1' });
    expect(JSON.stringify(values)).not.toMatch(/dummy/i);
    expectPrograms(read('kubernetes/values.yaml'));
  });

  it('manifests: what selects finds, one workshop, workers that speak to the database alone', ({ skip }) => {
    if (missing !== undefined) skip(missing);
    const object = z.looseObject({
      apiVersion: z.string(),
      kind: z.string(),
      metadata: z.looseObject({ name: z.string() }),
      spec: z.looseObject({ replicas: z.number().optional() }),
    });
    const objects = parseYaml(read('kubernetes/lab.yaml')).map((one) => object.parse(one));
    const apps = new Set(objects.flatMap(({ spec }) => all(spec.template, 'app')));
    expect([...apps].sort()).toEqual(['llm-lab-database', 'llm-lab-worker', 'llm-lab-workshop']);
    for (const selected of objects.flatMap(({ spec }) => all(spec, 'app'))) expect(apps).toContain(selected);
    const named = (name: string) =>
      objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === name)?.spec;
    expect(named('llm-lab-workshop')?.replicas).toBe(1);
    // Nobody may become root, and all have a limit of memory.
    const pods = objects.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');
    for (const pod of pods) {
      expect(all(pod, 'allowPrivilegeEscalation'), pod.metadata.name).toEqual([false]);
      expect(all(pod, 'limits'), pod.metadata.name).toMatchObject([{ memory: expect.any(String) }]);
      expect(all(pod, 'runAsUser'), pod.metadata.name).not.toContain(0);
    }
    const policy = objects.find(({ kind }) => kind === 'NetworkPolicy');
    expect(all(policy?.spec, 'port').sort()).toEqual([53, 53, 5432]);
    expectPrograms(read('kubernetes/lab.yaml'));
  });

  it('compose: hub and workshop listen on this machine alone, behind a proxy', ({ skip }) => {
    if (missing !== undefined) skip(missing);
    const [compose] = parseYaml(read('compose.yaml'));
    const ports = all(compose, 'ports').flat();
    expect(ports).toHaveLength(2);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
    expectPrograms(read('compose.yaml'));
  });

  it('image: a user that is not root, a pinned base, a health check, and programs that are there', () => {
    const text = read('Dockerfile');
    const stages = text.split(/^FROM /m).slice(1);
    expect(stages.map((stage) => /AS (\w+)/.exec(stage)?.[1])).toEqual(['base', 'learner', 'hub']);
    for (const stage of stages.slice(1)) {
      expect([...stage.matchAll(/^USER (\w+)/gm)].at(-1)?.[1]).toMatch(/^(learner|node)$/);
      expect(stage).toContain('HEALTHCHECK');
    }
    expect(text).toMatch(/^ARG BASE=node:\d+\.\d+\.\d+-\w+-slim$/m);
    expectPrograms(text);
    for (const [, source = ''] of text.matchAll(/^COPY (src\/\S+) /gm))
      expect(existsSync(join(ROOT, source)), source).toBe(true);
  });
});
