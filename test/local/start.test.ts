import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../local/start.ts', import.meta.url));
let started: ChildProcess | undefined;
afterEach(() => started?.kill('SIGKILL'));

describe('npm start', { timeout: 60_000 }, () => {
  it('prints one line of JSON when ready, and ends cleanly on Ctrl-C', async () => {
    started = spawn(process.execPath, [script, '--json', '--no-demo', '--port', '0', '--api-key', 'my-key'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines: string[] = [];
    const output = createInterface({ input: started.stdout! }).on('line', (line) => lines.push(line));
    await Promise.race([once(output, 'line'), once(output, 'close')]);
    const ready = JSON.parse(lines[0] ?? '') as Record<string, string>;
    const url = expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+/);
    expect(ready).toEqual({
      ready: true,
      pid: started.pid,
      apiUrl: url,
      apiKey: 'my-key',
      callbackSecret: expect.stringMatching(/^whsec_/),
      consoleUrl: url,
      topazUrl: url,
      receiverUrl: url,
      s3Endpoint: url,
      dynamodbEndpoint: url,
      sqsEndpoint: url,
      bucket: expect.any(String),
      seed: expect.any(Number),
    });
    const answer = await fetch(`${ready.apiUrl}/v1/requests`, {
      headers: { authorization: 'Bearer my-key' },
    });
    expect(answer.status).toBe(200);

    started.kill('SIGINT');

    expect(await once(started, 'exit')).toEqual([0, null]);
    expect(lines).toHaveLength(1);
    for (const name of [
      'apiUrl',
      'topazUrl',
      'receiverUrl',
      's3Endpoint',
      'dynamodbEndpoint',
      'sqsEndpoint',
    ]) {
      await expect(fetch(ready[name]!)).rejects.toThrow();
    }
  });

  it('explains itself', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [script, '--help']);
    expect(stdout).toContain('Usage: npm start');
  });

  it('says in one sentence what is wrong with an option', async () => {
    await expect(promisify(execFile)(process.execPath, [script, '--port', 'x'])).rejects.toMatchObject({
      code: 1,
      stderr: '--port does not take "x"; see --help.\n',
    });
  });
});
