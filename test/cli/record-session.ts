import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createClient } from '../../client/client.ts';
import { startLocalBridge } from '../support/local-bridge.ts';
import { openCommandLine, outcomeOf } from './command-line.ts';

// Writes the session of the command line in the README anew, as it goes against a bridge of its own.

const README = join(import.meta.dirname, '../../README.md');
const BEGIN = '<!-- A session, recorded by npm run docs:session -->\n';
const END = '<!-- The session ends -->';
/** A job of a minute. Seconds since its start. */
const TRACE = {
  statuses: [
    ['accepted', 0],
    ['preprocessing', 5],
    ['processing', 10],
    ['complete', 60],
  ],
  progress: [
    [10, 0],
    [60, 100],
  ],
};
const RECEIVER_PORT = 3000;

const bridge = await startLocalBridge();
const cli = await openCommandLine({ url: bridge.apiUrl, key: bridge.apiKey });
const receiver = createServer((_request, response) => response.writeHead(204).end());
const client = createClient({ url: bridge.apiUrl, key: bridge.apiKey });
try {
  await once(receiver.listen(RECEIVER_PORT, '127.0.0.1'), 'listening');
  const text = await record();
  const readme = readFileSync(README, 'utf8');
  const [before, after] = [readme.indexOf(BEGIN) + BEGIN.length, readme.indexOf(END)];
  if (after < before)
    throw new Error('The README lacks the comments between which the session stands: restore them.');
  writeFileSync(README, `${readme.slice(0, before)}\n\`\`\`console\n${text}\`\`\`\n\n${readme.slice(after)}`);
} finally {
  receiver.closeAllConnections();
  receiver.close();
  cli.close();
  await bridge.stop();
}

async function record(): Promise<string> {
  const forward = `http://localhost:${RECEIVER_PORT}/hooks`;
  const id = await bridge.setJob({ trace: TRACE });
  const tracked = await run('track', id, '--metadata', 'order=42', '--wait', '--download', 'videos/');
  const shown = await run('show', id);

  const listen = ['listen', '--forward', forward];
  const listening = cli.start(listen);
  const outcome = outcomeOf(listening);
  const said: string[] = [];
  await new Promise<void>((resolve) => {
    createInterface({ input: listening.stderr! }).on('line', (line) => {
      said.push(line);
      resolve();
    });
  });
  const another = await bridge.setJob({ trace: { statuses: [['complete', 0]], progress: [[0, 100]] } });
  await client.requests.register({ requestId: another });
  await new Promise<void>((resolve) => {
    createInterface({ input: listening.stdout! }).on('line', (line) => {
      said.push(line);
      if (line.includes('video.stored')) resolve();
    });
  });
  said.push('^C');
  listening.kill('SIGINT');
  await outcome;
  return [tracked, shown, `${typed(listen)}${said.join('\n')}\n`].join('\n');
}

async function run(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli.run(args);
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
  return `${typed(args)}${stdout}`;
}

function typed(args: readonly string[]): string {
  return `$ topaz-bridge ${args.join(' ')}\n`;
}
