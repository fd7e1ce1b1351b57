import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client as McpClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Client, createClient } from '../../client/client.ts';
import { ADMIN_KEY, type LocalBridge, READ_KEY, startLocalBridge } from '../support/local-bridge.ts';
import { type CommandLine, openCommandLine, outcomeOf, valuesOf } from './command-line.ts';

const READING = [
  'doctor',
  'list_deliveries',
  'list_endpoints',
  'list_requests',
  'show_delivery',
  'show_replay',
  'show_request',
  'stats',
];
const WRITING = [
  'poll_request',
  'replay_deliveries',
  'restart_request',
  'retry_delivery',
  'stop_request',
  'track_request',
];
const DONE = { statuses: [['complete', 0]], progress: [[0, 100]] };

let bridge: LocalBridge;
let client: Client;
let cli: CommandLine;
const clients: McpClient[] = [];

beforeAll(async () => {
  bridge = await startLocalBridge();
  client = createClient({ url: bridge.apiUrl, key: ADMIN_KEY });
  cli = await openCommandLine({ url: bridge.apiUrl, key: ADMIN_KEY });
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((each) => each.close()));
});
afterAll(async () => {
  cli?.close();
  await bridge?.stop();
});

/** The official client, connected to a server of its own. */
async function connect(args: readonly string[] = [], env: Record<string, string> = {}): Promise<McpClient> {
  const mcp = new McpClient({ name: 'test', version: '1' });
  clients.push(mcp);
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [cli.script, 'mcp', ...args],
    env: { ...cli.env, ...env },
    cwd: cli.folder,
  });
  await mcp.connect(transport);
  return mcp;
}

async function call(mcp: McpClient, name: string, args: Record<string, unknown> = {}) {
  const result = (await mcp.callTool({ name, arguments: args })) as CallToolResult;
  const [content] = result.content;
  const text = content?.type === 'text' ? content.text : '';
  return { isError: result.isError === true, value: result.structuredContent ?? {}, text };
}

describe('the official client', () => {
  test('is offered tools that read, each with a schema of its input', async () => {
    const mcp = await connect();
    expect(mcp.getServerVersion()).toMatchObject({ name: 'topaz-bridge' });
    await mcp.ping();
    const { tools } = await mcp.listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual(READING);
    for (const { inputSchema, annotations } of tools) {
      expect(inputSchema).toMatchObject({ type: 'object', additionalProperties: false });
      expect(annotations).toMatchObject({ readOnlyHint: true, destructiveHint: false });
    }
    await expect(mcp.callTool({ name: 'stop_request', arguments: {} })).rejects.toThrow('--allow-writes');
    await expect(mcp.callTool({ name: 'purge_request', arguments: {} })).rejects.toThrow('There is no tool');
  });

  test('tracks a request, reads its story, and polls, stops and restarts it', async () => {
    const mcp = await connect(['--allow-writes']);
    const { tools } = await mcp.listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual([...READING, ...WRITING].sort());
    const requestId = await bridge.setJob({ trace: { statuses: [['processing', 0]], progress: [[0, 5]] } });
    const tracked = await call(mcp, 'track_request', { requestId, metadata: { order: 'mcp-7' } });
    expect(tracked.value).toMatchObject({ requestId, state: 'active' });
    expect(JSON.parse(tracked.text)).toEqual(tracked.value);
    expect(await call(mcp, 'poll_request', { requestId })).toMatchObject({ isError: false });
    expect((await call(mcp, 'stop_request', { requestId })).value).toEqual({ requestId, state: 'stopped' });
    const listed = await call(mcp, 'list_requests', { state: 'stopped', query: 'mcp-7' });
    expect(listed.value).toMatchObject({ items: [{ requestId }] });
    expect((await call(mcp, 'restart_request', { requestId })).value).toMatchObject({ state: 'active' });
    const story = await call(mcp, 'show_request', { requestId });
    expect(story.value).toMatchObject({ request: { requestId }, timeline: { statuses: expect.any(Array) } });
    expect((await call(mcp, 'stats')).value).toHaveProperty('requests.byState');
    expect((await call(mcp, 'doctor')).value).toMatchObject({ checks: expect.any(Array) });
    await client.requests.stop(requestId, { purge: true });
  });

  test('shows, retries and replays deliveries, and sees neither secrets nor paths of URLs', async () => {
    const hooks = createServer((_, response) => response.writeHead(500).end('whsec_c2VjcmV0 leaked'));
    await once(hooks.listen(0, '127.0.0.1'), 'listening');
    const origin = `http://127.0.0.1:${(hooks.address() as AddressInfo).port}`;
    try {
      const { id: endpointId, secret } = await client.endpoints.create({
        url: `${origin}/hooks?token=hidden-token`,
        events: ['endpoint.*'],
      });
      await client.endpoints.test(endpointId);
      const mcp = await connect(['--allow-writes']);
      const found = await expect
        .poll(async () => (await call(mcp, 'list_deliveries', { endpointId })).value, { timeout: 30_000 })
        .toMatchObject({ items: [{ attempts: [{ statusCode: 500 }] }] })
        .then(() => call(mcp, 'list_deliveries', { endpointId, limit: 1 }));
      const [{ id: deliveryId }] = found.value.items as [{ id: string }];
      const none = await call(mcp, 'list_deliveries', { endpointId, statusCode: '404', since: '1h' });
      expect(none).toMatchObject({ isError: false, value: { items: [] } });
      const shown = await call(mcp, 'show_delivery', { deliveryId });
      expect(shown.text).toContain('whsec_… leaked');
      expect(await call(mcp, 'retry_delivery', { deliveryId })).toMatchObject({ isError: false });
      const replay = await call(mcp, 'replay_deliveries', { endpointId, since: '1h' });
      const { replayId } = replay.value as { replayId: string };
      const noType = await call(mcp, 'replay_deliveries', { endpointId, since: '1h', type: 'nonsense' });
      expect(noType).toMatchObject({
        isError: true,
        text: expect.stringContaining('No type of event matches'),
      });
      expect((await call(mcp, 'show_replay', { replayId })).value).toMatchObject({ id: replayId });
      const endpoints = await call(mcp, 'list_endpoints');
      expect(endpoints.value).toMatchObject({ items: [{ id: endpointId, url: `${origin}/…` }] });
      for (const { text } of [found, shown, replay, endpoints]) {
        expect(text).not.toContain('hidden-token');
        expect(text).not.toContain(secret);
      }
      await client.endpoints.delete(endpointId);
    } finally {
      hooks.closeAllConnections();
      hooks.close();
    }
  });

  test('shows the story of a stored video without a link to it', async () => {
    const requestId = await bridge.setJob({ trace: DONE });
    await client.requests.register({ requestId, callbackUrl: 'http://127.0.0.1:9/hooks?token=hidden-token' });
    await expect
      .poll(async () => (await client.requests.get(requestId)).video?.state, { timeout: 60_000 })
      .toBe('stored');
    const story = await call(await connect(), 'show_request', { requestId });
    expect(story.value).toMatchObject({ request: { video: { state: 'stored' } } });
    expect(story.text).not.toMatch(/hidden-token|\/v1\/links|X-Amz-Signature/);
  });

  test('reads in words what was wrong', async () => {
    const mcp = await connect(['--allow-writes']);
    expect(await call(mcp, 'show_request', { requestId: crypto.randomUUID() })).toMatchObject({
      isError: true,
      text: expect.stringContaining('There is no such request'),
    });
    expect(await call(mcp, 'list_requests', { limit: 1_000, color: 'red' })).toMatchObject({
      isError: true,
      text: expect.stringMatching(/limit: Give at most 100\..*There is no color/),
    });
    expect((await call(mcp, 'show_delivery', { deliveryId: '' })).text).toContain('This is empty.');
    expect(await call(mcp, 'replay_deliveries', { endpointId: 'ep_x', since: 'once' })).toMatchObject({
      isError: true,
      text: expect.stringContaining('"once" is not a time'),
    });
    const reader = await connect(['--allow-writes'], { BRIDGE_API_KEY: READ_KEY });
    expect(await call(reader, 'poll_request', { requestId: crypto.randomUUID() })).toMatchObject({
      isError: true,
    });
    const stranger = await connect([], { BRIDGE_API_KEY: 'wrong' });
    expect(await call(stranger, 'stats')).toMatchObject({
      isError: true,
      text: expect.stringContaining('does not know the key'),
    });
  });
});

describe('a line of the protocol', () => {
  const send = async (...lines: (string | object)[]) => {
    const input = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
    const { code, stdout, stderr } = await cli.run(['mcp'], { input });
    return { code, stderr, answers: valuesOf(stdout) };
  };
  const message = (id: unknown, method: string, params?: object) => ({ jsonrpc: '2.0', id, method, params });

  test.each([
    ['2025-06-18', '2025-06-18'],
    ['2024-11-05', '2024-11-05'],
    ['1999-01-01', '2025-11-25'],
  ])('that asks for version %s is answered by %s', async (asked, answered) => {
    const { code, stderr, answers } = await send(message(1, 'initialize', { protocolVersion: asked }));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(answers).toMatchObject([
      { id: 1, result: { protocolVersion: answered, capabilities: { tools: {} } } },
    ]);
  });

  test.each([
    ['that is not JSON', '{"jsonrpc":', { id: null, error: { code: -32700 } }],
    ['of another form', '{"id": 7, "method": "ping"}', { id: 7, error: { code: -32600 } }],
    ['with an id of another form', message({}, 'ping'), { id: null, error: { code: -32600 } }],
    ['with an unknown method', message('a', 'toString'), { id: 'a', error: { code: -32601 } }],
    ['without a tool', message(1, 'tools/call'), { id: 1, error: { code: -32602 } }],
    ['with an unknown tool', message(1, 'tools/call', { name: 'x' }), { id: 1, error: { code: -32602 } }],
  ])('%s is answered by an error, and the next by its result', async (_name, line, error) => {
    const { answers } = await send(line, message(2, 'ping'));
    expect(answers).toMatchObject([error, { id: 2, result: {} }]);
  });

  test('that wants no answer gets none', async () => {
    const { code, answers } = await send(
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { jsonrpc: '2.0', method: 'notifications/unknown', params: {} },
      { jsonrpc: '2.0', id: 9, result: {} },
      '',
    );
    expect({ code, answers }).toEqual({ code: 0, answers: [] });
  });

  test('with several messages is answered by a line with all answers', async () => {
    const { answers } = await send([message(1, 'ping'), { jsonrpc: '2.0', method: 'x' }, message(2, 'ping')]);
    expect(answers).toEqual([
      [
        { jsonrpc: '2.0', id: 1, result: {} },
        { jsonrpc: '2.0', id: 2, result: {} },
      ],
    ]);
  });
});

test('a call that is canceled ends without an answer, and the others go on', async () => {
  let [asked, ended] = [() => {}, () => {}];
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const isEnded = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const slow = createServer((request) => {
    request.socket.once('close', ended);
    asked();
  });
  await once(slow.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(slow.address() as AddressInfo).port}`;
  try {
    const server = cli.start(['mcp', '--url', url, '--key', 'k']);
    const outcome = outcomeOf(server);
    const write = (message: object) =>
      server.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
    write({ id: 1, method: 'tools/call', params: { name: 'stats' } });
    await isAsked;
    write({ method: 'notifications/cancelled', params: { requestId: 1, reason: 'enough' } });
    await isEnded;
    write({ id: 2, method: 'ping' });
    server.stdin?.end();
    const { code, stdout } = await outcome;
    expect({ code, answers: valuesOf(stdout) }).toEqual({
      code: 0,
      answers: [{ jsonrpc: '2.0', id: 2, result: {} }],
    });
  } finally {
    slow.closeAllConnections();
    slow.close();
  }
});

test('a server without a bridge says what to give, and nothing on standard output', async () => {
  const outcome = await cli.run(['mcp'], { env: { BRIDGE_URL: '', BRIDGE_API_KEY: '' } });
  expect(outcome).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('No bridge is named'),
  });
});
