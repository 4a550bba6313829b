/** The kernel over real ZeroMQ sockets, as any Jupyter client sees it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Subscriber } from 'zeromq';
import {
  type ExecuteOptions,
  type Execution,
  type KernelClient,
  startKernel,
} from '../../src/kernel/client/index.ts';
import { addressOf } from '../../src/kernel/protocol/connection.ts';

const folder = mkdtempSync(join(tmpdir(), 'lab-kernel-test-'));
let kernel: KernelClient;
beforeAll(async () => {
  kernel = await startKernel({ cwd: folder });
});
afterAll(async () => {
  await kernel?.shutdown();
  rmSync(folder, { recursive: true, force: true });
});

const run = (code: string, options: ExecuteOptions = {}) => kernel.execute(code, options);
const types = ({ messages }: Execution) => messages.map(({ header }) => header.msg_type);
const contents = ({ messages }: Execution, type: string) =>
  messages.filter(({ header }) => header.msg_type === type).map(({ content }) => content);
const text = (execution: Execution, stream = 'stdout') =>
  contents(execution, 'stream')
    .filter(({ name }) => name === stream)
    .map(({ text }) => text)
    .join('');
async function request(
  type: string,
  content: Record<string, unknown> = {},
  channel: 'shell' | 'control' = 'shell',
) {
  return (await kernel.session.request(channel, type, content)).content;
}

describe('executing', () => {
  test('answers with a result, a count and the reply', async () => {
    const execution = await run('6 * 7');
    expect(types(execution)).toEqual(['execute_result']);
    expect(contents(execution, 'execute_result')[0]).toMatchObject({ data: { 'text/plain': '42' } });
    expect(execution.reply).toMatchObject({ status: 'ok', payload: [], user_expressions: {} });
    const { reply } = await run('1');
    expect(reply.execution_count).toBe(Number(execution.reply.execution_count) + 1);
  });

  test('a request is framed by busy, its input and idle', async () => {
    const seen: unknown[] = [];
    const stop = kernel.session.listen((channel, { header, content }) => {
      if (channel === 'iopub') seen.push(content.execution_state ?? header.msg_type);
    });
    await run('console.log("x"); 1');
    stop();
    expect(seen).toEqual(['busy', 'execute_input', 'stream', 'execute_result', 'idle']);
  });

  test('an error has name, message and a trace with the place in the cell', async () => {
    const { messages, reply } = await run('const f = () => {\n  throw new RangeError("no");\n};\nf()');
    expect(messages.at(-1)?.header.msg_type).toBe('error');
    expect(reply).toMatchObject({ status: 'error', ename: 'RangeError', evalue: 'no' });
    const trace = stripVTControlCharacters(String(Object(reply.traceback).join('\n')));
    expect(trace).toMatch(
      /^RangeError: no\n[\s\S]*> 2 \| {3}throw new RangeError\("no"\);\n.*\^[\s\S]*at f \(In\[\d+\]:2:9\)\n {4}at In\[\d+\]:4:1$/,
    );
  });

  test('silent cells show nothing and are not counted; store_history decides about the rest', async () => {
    const before = Number((await run('1')).reply.execution_count);
    const silent = await run('console.log("unseen"); 5', { silent: true });
    expect(types(silent)).toEqual([]);
    await run('2', { storeHistory: false });
    expect((await run('3')).reply.execution_count).toBe(before + 1);
  });

  test('what a front end asks silently, in whatever language, fails silently and stops no cells', async () => {
    const silently = ['%matplotlib inline', 'import os\nprint(os.getcwd())', '', '   ', 'throw 1'];
    const asked = silently.map((code) => run(code, { silent: true, stopOnError: true }));
    const cell = run('"the person\'s"');
    const answers = await Promise.all(asked);
    expect(answers.flatMap(types)).toEqual([]);
    expect(answers.map(({ reply }) => reply.status)).toEqual(['error', 'error', 'ok', 'ok', 'error']);
    expect((await cell).reply.status).toBe('ok');
    const { reply } = await run('import sys', { userExpressions: { a: 'b' } });
    expect(reply).toMatchObject({ status: 'error', ename: 'SyntaxError', user_expressions: {} });
  });

  test('user expressions are evaluated after the cell', async () => {
    const { reply } = await run('const u = 20', { userExpressions: { twice: 'u * 2', wrong: 'nowhere' } });
    expect(reply.user_expressions).toMatchObject({
      twice: { status: 'ok', data: { 'text/plain': '40' } },
      wrong: { status: 'error', ename: 'TypeCheckError' },
    });
  });

  test('cells asked for before one that fails are aborted, those after it run', async () => {
    const failing = run('throw new Error("first")');
    const waiting = run('"never"');
    const tolerant = await Promise.all([failing, waiting]);
    expect(tolerant.map(({ reply }) => reply.status)).toEqual(['error', 'aborted']);
    // no time must pass before the next one is taken
    expect((await run('1')).reply.status).toBe('ok');
    const going = await Promise.all([run('throw 1', { stopOnError: false }), run('2')]);
    expect(going.map(({ reply }) => reply.status)).toEqual(['error', 'ok']);
  });

  test('prompt() asks the person and waits; without a person it fails', async () => {
    const asked: string[] = [];
    const execution = await run('const who = prompt("Who?"); "hello " + who', {
      onInput: (prompt) => {
        asked.push(prompt);
        return 'Zoë';
      },
    });
    expect(asked).toEqual(['Who?']);
    expect(contents(execution, 'execute_result')[0]).toMatchObject({ data: { 'text/plain': "'hello Zoë'" } });
    expect((await run('prompt("Who?")')).reply).toMatchObject({
      status: 'error',
      evalue: expect.stringMatching(/no input/),
    });
  });

  test('a name and a question mark open the pager', async () => {
    const { reply } = await run('Math.max?');
    expect(reply.payload).toMatchObject([
      { source: 'page', data: { 'text/plain': expect.stringContaining('max') } },
    ]);
  });
});

describe('outputs', () => {
  test('100 000 lines in one tick arrive all, in order, before idle', async () => {
    const execution = await run('for (let i = 0; i < 100_000; i++) console.log(i)');
    const lines = text(execution).trimEnd().split('\n');
    expect(lines.length).toBe(100_000);
    expect(lines.every((line, i) => line === String(i))).toBe(true);
  });

  test('10 000 concurrent asynchronous prints arrive all', async () => {
    const cell =
      'await Promise.all(Array.from({ length: 10_000 }, async (_, i) => { await new Promise((r) => setTimeout(r, i % 7)); console.log(i) }))';
    const numbers = text(await run(`${cell}; undefined`))
      .trimEnd()
      .split('\n')
      .map(Number);
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
  });

  test('20 MB at once arrive, and characters are never cut', async () => {
    const execution = await run('process.stdout.write("aé€😀".repeat(2_000_000)); undefined');
    const all = text(execution);
    expect(Buffer.byteLength(all)).toBe(20_000_000);
    expect(all === 'aé€😀'.repeat(2_000_000)).toBe(true);
    const split =
      'const e = Buffer.from("€"); process.stdout.write(e.subarray(0, 1)); process.stdout.write(e.subarray(1)); undefined';
    expect(text(await run(split))).toBe('€');
  });

  test('streams keep their order, also with displays between', async () => {
    const execution = await run(
      'import { display } from "tslab"; console.log(1); console.error(2); display.text("3"); console.log(4)',
    );
    expect(
      execution.messages.map(({ content }) => content.text ?? Object(content.data)['text/plain']),
    ).toEqual(['1\n', '2\n', '3', '4\n']);
  });

  test('what child processes print is output of the cell', async () => {
    const execution = await run(
      'import { execSync } from "node:child_process"; execSync("echo from a child; echo err >&2", { stdio: "inherit" }); undefined',
    );
    expect(text(execution)).toBe('from a child\n');
    expect(text(execution, 'stderr')).toBe('err\n');
  });

  test('displays of tslab: each kind has its type, and newDisplay updates in place', async () => {
    const execution = await run(`
      display.html('<i>h</i>'); display.markdown('**m**'); display.latex('$l$'); display.svg('<svg/>');
      display.png(new Uint8Array([1, 2, 255])); display.jpeg(new Uint8Array([7])); display.raw('application/x', 'r');
      import { newDisplay } from 'tslab';
      const live = newDisplay(); live.text('one'); live.text('two');`);
    expect(contents(execution, 'display_data').map(({ data }) => data)).toEqual([
      { 'text/html': '<i>h</i>' },
      { 'text/markdown': '**m**' },
      { 'text/latex': '$l$' },
      { 'image/svg+xml': '<svg/>' },
      { 'image/png': 'AQL/' },
      { 'image/jpeg': 'Bw==' },
      { 'application/x': 'r' },
      { 'text/plain': 'one' },
    ]);
    const last = contents(execution, 'display_data').at(-1);
    expect(contents(execution, 'update_display_data')).toEqual([{ ...last, data: { 'text/plain': 'two' } }]);
    expect(types(await run('console.clear()'))).toEqual(['clear_output']);
  });
});

describe('questions', () => {
  test('kernel_info says who answers', async () => {
    expect(await request('kernel_info_request')).toMatchObject({
      status: 'ok',
      protocol_version: '5.4',
      implementation: 'llm-lab',
      language_info: { name: 'typescript', file_extension: '.ts', version: expect.stringMatching(/^6\./) },
      banner: expect.stringContaining(process.version),
    });
  });

  test('cursors count code points', async () => {
    await run('const smile = { answer: 1 }');
    const reply = await request('complete_request', { code: '"😀😀"; smile.ans', cursor_pos: 15 });
    expect(reply).toMatchObject({ status: 'ok', matches: ['answer'], cursor_start: 12, cursor_end: 15 });
    const inspected = await request('inspect_request', {
      code: '"😀"; smile',
      cursor_pos: 7,
      detail_level: 0,
    });
    expect(inspected).toMatchObject({
      found: true,
      data: { 'text/plain': expect.stringContaining('answer: number') },
    });
    expect(await request('inspect_request', { code: ' ', cursor_pos: 0 })).toMatchObject({
      status: 'ok',
      found: false,
    });
  });

  test('is_complete tells complete, incomplete and invalid', async () => {
    expect(await request('is_complete_request', { code: 'f(' })).toMatchObject({
      status: 'incomplete',
      indent: '  ',
    });
    expect(await request('is_complete_request', { code: '1' })).toMatchObject({ status: 'complete' });
  });

  test('history lists, searches and returns outputs', async () => {
    await run('"needle" + 1');
    await run('"needle" + 1');
    const search = { hist_access_type: 'search', pattern: '*needle*', output: true, raw: true };
    const found = await request('history_request', search);
    expect(found.history).toMatchObject([
      [1, expect.any(Number), ['"needle" + 1', "'needle1'"]],
      expect.anything(),
    ]);
    expect((await request('history_request', { ...search, unique: true })).history).toHaveLength(1);
    expect((await request('history_request', { hist_access_type: 'tail', n: 3 })).history).toHaveLength(3);
  });

  test('comms open, exchange messages and close', async () => {
    await run(`
      const comms = Reflect.get(globalThis, Symbol.for('llm-lab.comms'));
      comms.registerTarget('echo', (comm: { send(d: unknown): void; onMessage?: (d: unknown) => void }, data: unknown) => {
        comm.send({ opened: data });
        comm.onMessage = (d) => comm.send({ echoed: d });
      });`);
    const heard: unknown[] = [];
    const stop = kernel.session.listen((channel, { header, content }) => {
      if (channel === 'iopub' && header.msg_type.startsWith('comm'))
        heard.push([header.msg_type, content.data]);
    });
    kernel.session.send('shell', 'comm_open', { comm_id: 'c1', target_name: 'echo', data: 1 });
    kernel.session.send('shell', 'comm_msg', { comm_id: 'c1', data: 2 });
    expect(await request('comm_info_request')).toMatchObject({ comms: { c1: { target_name: 'echo' } } });
    kernel.session.send('shell', 'comm_close', { comm_id: 'c1', data: {} });
    kernel.session.send('shell', 'comm_open', { comm_id: 'c2', target_name: 'unknown', data: {} });
    expect(await request('comm_info_request')).toMatchObject({ comms: {} });
    stop();
    expect(heard).toEqual([
      ['comm_msg', { opened: 1 }],
      ['comm_msg', { echoed: 2 }],
      ['comm_close', {}],
    ]);
  });

  test('cursors off the text, and questions about nothing, have answers', async () => {
    for (const [code, cursor_pos] of [
      ['pro', 99],
      ['pro', -1],
      ['', 0],
      ['import os.', 10],
      ['# %% python\ndef f(x):\n  return x.', 33],
    ] as const) {
      expect(await request('complete_request', { code, cursor_pos })).toMatchObject({ status: 'ok' });
      expect(await request('inspect_request', { code, cursor_pos, detail_level: 1 })).toMatchObject({
        status: 'ok',
      });
    }
    expect(await request('complete_request', { code: 'processI' })).toMatchObject({ cursor_end: 8 });
    expect(await request('is_complete_request', { code: '' })).toMatchObject({ status: 'complete' });
    expect(await request('is_complete_request', { code: 'def f(x):' })).toMatchObject({
      status: expect.stringMatching(/^(invalid|incomplete)$/),
    });
    expect(await request('comm_info_request', { target_name: 'jupyter.widget' })).toMatchObject({
      comms: {},
    });
    expect(
      await request('debug_request', { type: 'request', command: 'initialize' }, 'control'),
    ).toMatchObject({
      status: 'error',
    });
  });

  test('a request that is none is refused, and an unsigned one ignored', async () => {
    expect(await request('execute_request', { code: 5 })).toMatchObject({
      status: 'error',
      ename: 'ProtocolError',
    });
    expect(await request('nonsense_request')).toMatchObject({ status: 'error', ename: 'UnknownRequest' });
    expect((await run('1')).reply.status).toBe('ok');
  });

  test('a new subscriber is welcomed', async () => {
    const socket = new Subscriber();
    socket.connect(addressOf(kernel.connection, 'iopub'));
    socket.subscribe();
    let type: string | undefined;
    for await (const frames of socket) {
      type = kernel.session.wire.decode(frames)?.header.msg_type;
      break;
    }
    socket.close();
    expect(type).toBe('iopub_welcome');
  });
});

describe('cells that misbehave', () => {
  test('an endless loop leaves heartbeat and control answering; an interrupt ends it and keeps the state', async () => {
    await run('const precious = 41');
    const looping = run('for (;;) {}');
    await delay(300);
    await kernel.session.beat();
    expect(await request('kernel_info_request', {}, 'control')).toMatchObject({ status: 'ok' });
    expect(await request('interrupt_request', {}, 'control')).toMatchObject({ status: 'ok' });
    expect((await looping).reply).toMatchObject({ status: 'error', ename: 'Interrupted' });
    expect(contents(await run('precious + 1'), 'execute_result')[0]).toMatchObject({
      data: { 'text/plain': '42' },
    });
  });

  test.each([
    ['a promise that never settles', 'await new Promise(() => {})'],
    ['a loop after an await', 'await null; for (;;) {}'],
    ['a loop of microtasks', 'const spin = (): Promise<void> => Promise.resolve().then(spin); await spin()'],
    ['a regular expression that never ends', '/(a+)+b/.test("a".repeat(40))'],
    ['a question to the person', 'prompt("?")'],
  ])('an interrupt by signal ends %s', async (_, code) => {
    const running = run(code, { onInput: () => new Promise(() => {}) });
    await delay(250);
    kernel.process.kill('SIGINT');
    expect((await running).reply).toMatchObject({ status: 'error', ename: 'Interrupted' });
    expect(contents(await run('precious'), 'execute_result')[0]).toMatchObject({
      data: { 'text/plain': '41' },
    });
  });

  test('an interrupt that comes before the worker has begun is not lost, and never hits the next cell', async () => {
    for (let i = 0; i < 5; i++) {
      const stop = kernel.session.listen((channel, { header }) => {
        if (channel !== 'iopub' || header.msg_type !== 'execute_input') return;
        stop();
        void request('interrupt_request', {}, 'control');
      });
      expect((await run('for (;;) {}')).reply).toMatchObject({ status: 'error', ename: 'Interrupted' });
      expect((await run('await null; precious')).reply.status).toBe('ok');
    }
  });

  test('library code that waits hears of an interrupt', async () => {
    await run(`
      let heard = 'nothing';
      const next: () => AbortSignal = Reflect.get(globalThis, Symbol.for('llm-lab.interruptSignal'));
      next().addEventListener('abort', () => { heard = 'interrupt' });`);
    const running = run('await new Promise(() => {})');
    await delay(100);
    await kernel.interrupt();
    await running;
    const shown = contents(await run('[heard, next().aborted]'), 'execute_result')[0];
    expect(shown).toMatchObject({ data: { 'text/plain': "[ 'interrupt', false ]" } });
  });

  test('a rejection nobody handles fails the cell, not the kernel', async () => {
    expect((await run('void Promise.reject(new Error("floating")); 1')).reply).toMatchObject({
      status: 'error',
      evalue: 'floating',
    });
    expect((await run('precious')).reply.status).toBe('ok');
  });

  test('a cell that removes all listeners of the process takes nothing down', async () => {
    const cell = 'process.removeAllListeners(); void Promise.reject(new Error("unheard")); 1';
    expect((await run(cell)).reply).toMatchObject({ status: 'error', evalue: 'unheard' });
    expect((await run('precious')).reply.status).toBe('ok');
  });

  test('the control channel answers only what need not wait for cells', async () => {
    expect(await request('execute_request', { code: '1' }, 'control')).toMatchObject({
      ename: 'UnknownRequest',
    });
  });

  test('what was printed before process.exit is shown', async () => {
    const own = await startKernel({ cwd: folder });
    const execution = await own.execute('for (let i = 0; i < 1000; i++) console.log(i); process.exit(0)');
    expect(text(execution).trimEnd().split('\n')).toHaveLength(1000);
    await own.shutdown();
  });

  test('an error in a timer, after its cell has ended, is told on stderr', async () => {
    const heard: string[] = [];
    const stop = kernel.session.listen((_, { content }) => {
      if (content.name === 'stderr') heard.push(String(content.text));
    });
    await run('setTimeout(() => { throw new Error("late") }, 10); 0');
    await expect.poll(() => heard.join(''), { timeout: 20_000 }).toMatch(/late/);
    stop();
    expect((await run('precious')).reply.status).toBe('ok');
  });

  test('process.exit ends the worker, not the kernel, and the cell says so', async () => {
    const { reply } = await run('console.log("before"); process.exit(3)');
    expect(reply).toMatchObject({
      status: 'error',
      ename: 'WorkerEnded',
      evalue: expect.stringContaining('process.exit(3)'),
    });
    expect((await run('precious')).reply).toMatchObject({ ename: 'TypeCheckError' });
    expect((await run('1 + 1')).reply.status).toBe('ok');
  });
});

test('running out of memory ends the worker, not the kernel, and the cell says so', async () => {
  const own = await startKernel({ cwd: folder, env: { NODE_OPTIONS: '--max-old-space-size=250' } });
  const cell = 'const all: number[][] = []; for (;;) all.push(new Array(500_000).fill(1.5))';
  const execution = await own.execute(cell);
  expect(execution.reply).toMatchObject({ status: 'error', ename: 'OutOfMemory' });
  expect(text(execution, 'stderr')).toBe('');
  expect((await own.execute('1 + 1')).reply.status).toBe('ok');
  await own.shutdown();
});

test('shutdown answers and leaves no process behind', async () => {
  const own = await startKernel({ cwd: folder });
  const execution = await own.execute('process.pid');
  const worker = Number(Object(execution.messages[0]?.content.data)['text/plain']);
  const reply = await own.session.request('control', 'shutdown_request', { restart: false });
  expect(reply.content).toEqual({ status: 'ok', restart: false });
  await own.ended;
  await own.shutdown();
  await expect.poll(() => isAlive(worker), { timeout: 20_000 }).toBe(false);
});

test('a worker does not outlive a supervisor that was killed', async () => {
  const own = await startKernel({ cwd: folder });
  const execution = await own.execute('process.pid');
  const worker = Number(Object(execution.messages[0]?.content.data)['text/plain']);
  void own.execute('for (;;) {}').catch(() => {});
  await delay(100);
  own.process.kill('SIGKILL');
  await own.ended;
  await expect.poll(() => isAlive(worker), { timeout: 20_000 }).toBe(false);
  await own.shutdown();
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
