import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CallToolResult, type ClientOptions, Client as McpClient } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Client, createClient } from '../../client/client.ts';
import { ADMIN_KEY, type LocalBridge, READ_KEY, startLocalBridge } from '../support/local-bridge.ts';
import { type CommandLine, openCommandLine, outcomeOf } from './command-line.ts';

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
async function connect(
  args: readonly string[] = [],
  env: Record<string, string> = {},
  options: ClientOptions = {},
): Promise<McpClient> {
  const mcp = new McpClient({ name: 'test', version: '1' }, options);
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
  const value = (result.structuredContent ?? {}) as Record<string, unknown>;
  return { isError: result.isError === true, value, text };
}

describe('the official client', () => {
  test.each<[ClientOptions, string]>([
    [{}, '2025-11-25'],
    [{ supportedProtocolVersions: ['2024-11-05'] }, '2024-11-05'],
    [{ versionNegotiation: { mode: { pin: '2026-07-28' } } }, '2026-07-28'],
  ])('with %j speaks version %s of the protocol', async (options, version) => {
    const mcp = await connect([], {}, options);
    expect(mcp.getNegotiatedProtocolVersion()).toBe(version);
    expect(mcp.getInstructions()).toContain('No tool submits a job');
    expect(await call(mcp, 'list_endpoints')).toMatchObject({ isError: false, value: { items: [] } });
  });

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

/** A bridge that answers no call. */
async function openSilentBridge() {
  const asked = Promise.withResolvers<void>();
  const hungUp = Promise.withResolvers<void>();
  const server = createServer((request) => {
    request.socket.once('close', () => hungUp.resolve());
    asked.resolve();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    isAsked: asked.promise,
    isHungUp: hungUp.promise,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

test('a call that is canceled ends, and the others go on', async () => {
  const silent = await openSilentBridge();
  try {
    const mcp = await connect(['--url', silent.url, '--key', 'k']);
    const controller = new AbortController();
    const stats = mcp.callTool({ name: 'stats' }, { signal: controller.signal });
    await silent.isAsked;
    controller.abort(new Error('enough'));
    await expect(stats).rejects.toThrow('enough');
    await silent.isHungUp;
    expect(await mcp.ping()).toBeDefined();
  } finally {
    silent.close();
  }
});

test.each(['', 'This is not JSON.\n', '{"jsonrpc": "2.0", "method": "notifications/unknown"}\n'])(
  'a server whose client says %j and goes ends in silence',
  async (input) => {
    expect(await cli.run(['mcp'], { input })).toEqual({ code: 0, stdout: '', stderr: '' });
  },
);

test('a server whose client goes amid a call ends', async () => {
  const silent = await openSilentBridge();
  try {
    const server = cli.start(['mcp', '--url', silent.url, '--key', 'k']);
    const outcome = outcomeOf(server);
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'stats' } };
    server.stdin?.write(`${JSON.stringify(message)}\n`);
    await silent.isAsked;
    server.stdin?.end();
    expect(await outcome).toEqual({ code: 0, stdout: '', stderr: '' });
  } finally {
    silent.close();
  }
});

test('a server that is told to end does so', async () => {
  const server = cli.start(['mcp']);
  const outcome = outcomeOf(server);
  const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } };
  server.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: hello })}\n`);
  await once(server.stdout as NodeJS.ReadableStream, 'data');
  server.kill('SIGTERM');
  expect(await outcome).toMatchObject({ code: 130 });
});

test('a server without a bridge says what to give, and nothing on standard output', async () => {
  const outcome = await cli.run(['mcp'], { env: { BRIDGE_URL: '', BRIDGE_API_KEY: '' } });
  expect(outcome).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('No bridge is named'),
  });
});
