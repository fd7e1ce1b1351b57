import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bundle, bundlesOf, importedBy } from '../../bench/cold/measure.ts';
import { LANES } from '../../lambdas/domain/work.ts';
import { encodeHints } from '../../lambdas/engine/hint-message.ts';
import { FunctionError, LocalFunction } from '../../local/runtime/functions.ts';
import { synthesize } from '../../local/runtime/synthesize.ts';
import { passesOf, traceHeader } from '../../local/runtime/trace-lineage.ts';

let bundles: Bundle[];
const started: LocalFunction[] = [];

beforeAll(async () => {
  bundles = bundlesOf(await synthesize());
}, 120_000);
afterAll(async () => {
  await Promise.all(started.map((fn) => fn.stop()));
});

/** The function of a bundle with this environment. */
function start(
  { stage, directory }: Pick<Bundle, 'stage' | 'directory'>,
  environment: Record<string, string>,
): LocalFunction {
  const fn = new LocalFunction({
    name: stage,
    arn: stage,
    directory,
    handler: 'index.handler',
    timeoutMs: 60_000,
    memoryMb: 512,
    environment: { ...environment, AWS_REGION: 'us-east-1' },
    maxProcesses: 1,
  });
  started.push(fn);
  return fn;
}

describe('every bundle', () => {
  it('shows the lines of the source in a stack trace', async () => {
    for (const { stage, directory, environment } of bundles) {
      // As deployed, but for what the handler asks for first: its start fails.
      const fn = start({ stage, directory }, { NODE_OPTIONS: environment.NODE_OPTIONS ?? '' });
      const failed = await fn.invoke({}).catch((error: unknown) => error);
      expect(failed, stage).toMatchObject({ kind: 'init' });
      const trace = (failed as { trace: string[] }).trace.join('\n');
      expect(trace, stage).toMatch(/lambdas\/adapters\/lambda\/env\.ts:\d+/);
      expect(trace, stage).toMatch(new RegExp(`lambdas/${stage}/handler\\.ts:\\d+`));
    }
  }, 60_000);

  it('sends its place in the chain of invocations along with its calls, by which Lambda finds loops', async () => {
    for (const { stage, directory, environment } of bundles) {
      // A server for each function: one that failed may still be sending while the next one runs.
      const aws = await refusingAws();
      const fn = start(
        { stage, directory },
        {
          ...environment,
          AWS_ENDPOINT_URL: aws.url,
          AWS_ACCESS_KEY_ID: 'key',
          AWS_SECRET_ACCESS_KEY: 'secret',
          POWERTOOLS_LOG_LEVEL: 'SILENT',
        },
      );
      // Whatever it answers, or throws: its calls to AWS are refused.
      const failed = await fn.invoke(eventFor(stage), [traceHeader('another', [])]).catch((error) => error);
      if (failed instanceof FunctionError) expect(failed, stage).toMatchObject({ kind: 'thrown' });
      expect(aws.traces.length, stage).toBeGreaterThan(0);
      for (const trace of aws.traces) {
        expect([passesOf('another', [trace]), passesOf(stage, [trace])], stage).toEqual([1, 1]);
      }
      aws.close();
    }
  }, 60_000);

  it('is small: a cold start loads at most 450 kB', () => {
    expect(bundles).toHaveLength(6);
    for (const { stage, directory } of bundles) {
      const loaded = [...importedBy(directory, 'index.mjs')].map(
        (file) => statSync(join(directory, file)).size,
      );
      const bytes = loaded.reduce((sum, size) => sum + size);
      expect(bytes, stage).toBeLessThanOrEqual(450_000);
    }
  });

  it('loads node:http without the undici that comes with its names', () => {
    for (const { stage, directory } of bundles) {
      for (const file of importedBy(directory, 'index.mjs')) {
        expect(readFileSync(join(directory, file), 'utf8'), `${stage}/${file}`).not.toMatch(
          /(?:from|import\()\s*"node:http"/,
        );
      }
    }
  });

  it('has source maps of its own sources alone, without their text', () => {
    for (const { stage, directory } of bundles) {
      const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
      expect(files, stage).toContain('index.mjs.map');
      for (const file of files.filter((each) => each.endsWith('.map'))) {
        const map = JSON.parse(readFileSync(join(directory, file), 'utf8')) as { sources: string[] };
        expect(map, `${stage}/${file}`).not.toHaveProperty('sourcesContent');
        expect(map.sources.join('\n'), `${stage}/${file}`).not.toContain('node_modules');
      }
    }
  });
});

/** A server that refuses each call, and the trace headers of the calls. */
async function refusingAws() {
  const traces: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    traces.push(request.headers['x-amzn-trace-id']?.toString());
    response.writeHead(400).end('{"__type":"ValidationException","message":"refused"}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { traces, url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

/** An event that makes a function call AWS. */
function eventFor(stage: string): unknown {
  if (stage === 'tick') return {};
  const lane = LANES.find((each) => each === stage);
  if (lane) {
    const body = encodeHints(lane, [{ pk: 'REQUEST#1', sk: 'META', dueAt: 1 }]);
    return { Records: [{ messageId: '1', body }] };
  }
  return {
    version: '2.0',
    rawPath: '/v1/requests',
    rawQueryString: '',
    headers: { authorization: 'Bearer key' },
    requestContext: { http: { method: 'GET', path: '/v1/requests' }, requestId: '1' },
  };
}
