import { describe, expect, test } from 'vitest';
import {
  API_KEY,
  finished,
  http,
  REQUEST_ID,
  readFirst,
  SIMULATED_TRACE,
  simulatedTopaz,
} from './simulated-topaz.ts';

const OTHER_ID = '8e08c4f2-e7ef-4676-a131-1e893e1d4176';

describe('a job', () => {
  test('begins when first asked about if it was not set up', async () => {
    const topaz = await simulatedTopaz();
    topaz.wait(1000);
    expect((await topaz.status()).status).toBe('requested');
    topaz.wait(90);
    expect((await topaz.status()).status).toBe('complete');
  });

  test('begins when it is set up, whenever it is first asked about', async () => {
    const topaz = await simulatedTopaz();
    await topaz.set({ trace: SIMULATED_TRACE });
    topaz.wait(130);
    expect(await topaz.status()).toMatchObject({ status: 'processing', progress: 50 });
  });

  test('is known by its id in either case', async () => {
    const topaz = await simulatedTopaz();
    await topaz.set({ trace: finished('canceled') });
    expect((await topaz.status(REQUEST_ID.toUpperCase())).status).toBe('canceled');
  });

  test('runs at its own speed, or else at that of the server', async () => {
    const topaz = await simulatedTopaz({ speed: 20 });
    await topaz.set({ trace: SIMULATED_TRACE, speed: 2 });
    await topaz.status(OTHER_ID);
    topaz.wait(4.5);
    expect((await topaz.status()).status).toBe('initializing');
    expect((await topaz.status(OTHER_ID)).status).toBe('complete');
  });

  test('plays the default trace that the server was started with', async () => {
    const topaz = await simulatedTopaz({
      defaultTrace: { statuses: [['failed', 0]], progress: [], nodes: 1, message: 'Out of memory.' },
    });
    expect(await topaz.status()).toEqual({
      status: 'failed',
      message: 'Out of memory.',
      errorCode: 'PROCESSING_FAILED',
      processingJobs: [expect.objectContaining({ status: 'failed' })],
    });
  });

  test('tells estimates once it is accepted, none if its trace has none', async () => {
    const topaz = await simulatedTopaz();
    await topaz.set({ trace: SIMULATED_TRACE });
    expect(await topaz.status()).not.toHaveProperty('estimates');
    topaz.wait(1);
    expect((await topaz.status()).estimates).toEqual({ time: [206, 234] });
    await topaz.set({ trace: { ...SIMULATED_TRACE, estimates: null } });
    topaz.wait(1);
    expect(await topaz.status()).not.toHaveProperty('estimates');
  });

  test('tells frames per second of its nodes while it is processing', async () => {
    const topaz = await simulatedTopaz();
    await topaz.set({ trace: { ...SIMULATED_TRACE, nodes: 2 } });
    topaz.wait(100);
    const { averageFps, combinedFps, processingJobs } = await topaz.status();
    expect(combinedFps).toBe(2 * averageFps!);
    expect(processingJobs!.map(({ status, chunkIndex }) => [status, chunkIndex])).toEqual([
      ['processing', 0],
      ['processing', 1],
    ]);
  });

  test('tells the size of its output as text once it is complete', async () => {
    const topaz = await simulatedTopaz();
    await topaz.set({ trace: SIMULATED_TRACE });
    topaz.wait(170);
    expect((await topaz.status()).outputSize).toBe('78.03 MB');
  });

  test('gives a new URL with each answer, for 24 hours', async () => {
    const topaz = await simulatedTopaz();
    await topaz.set({ trace: finished() });
    const first = (await topaz.status()).download!;
    const second = (await topaz.status()).download!;
    expect(second.url).not.toBe(first.url);
    expect(first.expiresIn).toBe(24 * 3600 * 1000);
    expect(first.expiresAt).toBe(topaz.now() + first.expiresIn);
  });

  test('is refused without an API key, and with one that was changed', async () => {
    const topaz = await simulatedTopaz();
    expect((await fetch(`${topaz.url}/video/${REQUEST_ID}/status`)).status).toBe(401);
    await topaz.post('/_sim/key', { key: 'new-key' });
    expect((await topaz.ask(REQUEST_ID, API_KEY)).status).toBe(401);
    expect((await topaz.ask(REQUEST_ID, 'new-key')).status).toBe(200);
  });
});

describe('a status fault', () => {
  async function withFaults(...faults: Record<string, unknown>[]) {
    const topaz = await simulatedTopaz();
    const atStatus = faults.map((fault) => ({ at: 'status', ...fault }));
    await topaz.set({ trace: SIMULATED_TRACE, faults: atStatus });
    return topaz;
  }
  const statusUrl = (topaz: { url: string }) => `${topaz.url}/video/${REQUEST_ID}/status`;
  const key = { 'x-api-key': API_KEY };

  test('strikes as often as it says, the next of its kind after it', async () => {
    const topaz = await withFaults(
      { kind: 'http', status: 500, times: 2 },
      { kind: 'http', status: 429, times: 1 },
    );
    const statuses = [];
    for (let call = 0; call < 4; call += 1) statuses.push((await topaz.ask()).status);
    expect(statuses).toEqual([500, 500, 429, 200]);
  });

  test('lets pass what it is told to skip', async () => {
    const topaz = await withFaults({ kind: 'http', status: 500, skip: 1, times: 1 });
    const statuses = [];
    for (let call = 0; call < 3; call += 1) statuses.push((await topaz.ask()).status);
    expect(statuses).toEqual([200, 500, 200]);
  });

  test('strikes within its window of time', async () => {
    const topaz = await withFaults({ kind: 'http', status: 404, afterSeconds: 10, forSeconds: 5 });
    expect((await topaz.ask()).status).toBe(200);
    topaz.wait(10);
    expect((await topaz.ask()).status).toBe(404);
    topaz.wait(5);
    expect((await topaz.ask()).status).toBe(200);
  });

  test.each([
    [30, '30'],
    ['Mon, 23 Nov 2026 20:01:00 GMT', 'Mon, 23 Nov 2026 20:01:00 GMT'],
  ])('may carry Retry-After %s', async (retryAfter, header) => {
    const topaz = await withFaults({ kind: 'http', status: 503, retryAfter });
    expect((await topaz.ask()).headers.get('retry-after')).toBe(header);
  });

  test('set for all jobs strikes any, until it is replaced', async () => {
    const topaz = await simulatedTopaz();
    await topaz.post('/_sim/faults', { faults: [{ at: 'status', kind: 'http', status: 503 }] });
    expect((await topaz.ask(OTHER_ID)).status).toBe(503);
    await topaz.post('/_sim/faults', { faults: [] });
    expect((await topaz.ask(OTHER_ID)).status).toBe(200);
  });

  test('hang leaves the caller waiting until it gives up', async () => {
    const topaz = await withFaults({ kind: 'hang' });
    const call = new AbortController();
    const answer = fetch(statusUrl(topaz), { headers: key, signal: call.signal });
    // Another call goes through all of the server while the first still waits.
    await topaz.ask(OTHER_ID);
    call.abort(new Error('given up'));
    await expect(answer).rejects.toThrow('given up');
  });

  test('reset breaks the connection without an answer', async () => {
    const topaz = await withFaults({ kind: 'reset' });
    await expect(http(statusUrl(topaz), key)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('drip sends the whole answer bit by bit', async () => {
    const topaz = await withFaults({ kind: 'drip', bytesPerSecond: 20_000 });
    expect(await topaz.status()).toMatchObject({ status: 'requested' });
  });

  test('notJson answers 200 with a page', async () => {
    const topaz = await withFaults({ kind: 'notJson' });
    const answer = await topaz.ask();
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html']);
  });

  test('huge streams as much as it is told, in valid JSON', async () => {
    const topaz = await withFaults({ kind: 'huge', bytes: 1_000_000 });
    const { body } = await http(statusUrl(topaz), key);
    expect(JSON.parse(body.toString()).message).toHaveLength(1_000_000);
  });

  test('huge ends when the caller hangs up', async () => {
    const topaz = await withFaults({ kind: 'huge', bytes: 1e12, times: 1 });
    expect((await readFirst(statusUrl(topaz), 100_000, key)).length).toBeGreaterThanOrEqual(100_000);
    expect((await topaz.ask()).status).toBe(200);
  });

  test('unknownStatus changes the status alone', async () => {
    const topaz = await withFaults({ kind: 'unknownStatus', status: 'defragmenting' });
    expect(await topaz.status()).toMatchObject({ status: 'defragmenting', progress: 0 });
  });

  test('backwards answers as of an earlier status', async () => {
    const topaz = await withFaults({ kind: 'backwards', times: 1 });
    topaz.wait(170);
    const stale = await topaz.status();
    expect([stale.status, stale.download]).toEqual(['postprocessing', undefined]);
    expect((await topaz.status()).status).toBe('complete');
  });

  test('noProgress leaves progress out', async () => {
    const topaz = await withFaults({ kind: 'noProgress', times: 1 });
    expect(await topaz.status()).not.toHaveProperty('progress');
    expect(await topaz.status()).toHaveProperty('progress');
  });

  test('noDownload counts only answers that would have had one', async () => {
    const topaz = await withFaults({ kind: 'noDownload', times: 2 });
    await topaz.status();
    topaz.wait(170);
    const downloads = [];
    for (let call = 0; call < 3; call += 1) downloads.push((await topaz.status()).download !== undefined);
    expect(downloads).toEqual([false, false, true]);
  });
});
