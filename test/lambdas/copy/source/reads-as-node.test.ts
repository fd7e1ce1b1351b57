import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NotPlain, RangeConnection } from '../../../../lambdas/copy/source/range-connection.ts';
import { inParallel } from '../../../../lambdas/engine/in-parallel.ts';
import { type Random, seededRandom } from '../../../../local/aws/random.ts';

const ANSWERS = 5_000;
const AT_ONCE = 100;
/** Bytes of the range that is asked for. */
const LENGTH = 20;

const oneOf = <T>(random: Random, values: readonly T[]): T =>
  values[Math.floor(random() * values.length)] as T;
const mostly = <T>(random: Random, usual: T, others: readonly T[], share = 0.15): T =>
  random() < share ? oneOf(random, others) : usual;

const STATUS_LINES = [
  'HTTP/1.1 206',
  'HTTP/1.1 206 ',
  'HTTP/1.0 206 OK',
  'HTTP/1.1  206 OK',
  'HTTP/1.1 206\tOK',
  'HTTP/1.1 206 caf\xe9',
  'HTTP/1.1 206 a\x01b',
  'HTTP/1.1 206 a\rb',
  'HTTP/1.1 2O6 OK',
  'HTTP/1.1 20 OK',
  'HTTP/1.1 2066 OK',
  'HTTP/1.2 206 OK',
  'HTTP/2 206 OK',
  'http/1.1 206 OK',
  'ICY 206 OK',
  '',
];
const FIELDS = [
  'ETag: "a:b"',
  'x-empty:',
  'x-blanks: \t a \t ',
  'X-Tilde~!#$: 1',
  'x-high: \xe9\xff',
  'connection: close',
  'Connection: keep-alive, x',
  'content-type: video/mp4',
  `content-range: bytes 0-${LENGTH - 1}/100`,
];
const ODD_FIELDS = [
  ' folded',
  '\tfolded',
  'x : 1',
  ': 1',
  'x',
  '',
  'x\0: 1',
  'x: a\0b',
  'x: a\rb',
  'x: a\nb',
  'x: a\x7fb',
  'x(: 1',
  'x\xe9: 1',
  '__proto__: 1',
  ...[16_000, 16_300, 16_384, 17_000].map((length) => `x-long: ${'a'.repeat(length)}`),
  'connection: upgrade\r\nupgrade: h2c',
  'transfer-encoding: chunked',
  'Transfer-Encoding: identity',
  'transfer-encoding: gzip, chunked',
  'transfer-encoding:',
  'trailer: x',
];
const LENGTHS = [
  [],
  [`+${LENGTH}`],
  [`-${LENGTH}`],
  [`0${LENGTH}`],
  [`${LENGTH},${LENGTH}`],
  [`${LENGTH} ${LENGTH}`],
  [`${LENGTH}.0`],
  [`0x${LENGTH}`],
  ['1e1'],
  [''],
  [`${LENGTH}`, `${LENGTH}`],
  [`${LENGTH}`, `${LENGTH + 1}`],
  [`${LENGTH - 1}`],
  [`${LENGTH + 1}`],
  ['99999999999999999999'],
];
const INTERIM = [
  'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\ncontent-length: 5\r\n\r\n',
  'HTTP/1.1 102\r\nx: \n\r\n\r\n',
  'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
];

/** The bytes of an answer to a range, as a careless, broken or hostile server sends it, in pieces. */
function answerFrom(random: Random): Buffer[] {
  const lines = [
    mostly(random, 'HTTP/1.1 206 Partial Content', STATUS_LINES),
    ...Array.from({ length: Math.floor(random() * 3) }, () =>
      mostly(random, oneOf(random, FIELDS), ODD_FIELDS, 0.2),
    ),
    ...mostly(random, [`${LENGTH}`], LENGTHS, 0.2).map((length) => `content-length: ${length}`),
    ...mostly(random, [], [['x: 1'], ['transfer-encoding: chunked']], 0.1),
  ];
  const lineEnd = mostly(random, '\r\n', ['\n', '\r', '\r\r\n'], 0.05);
  const interim = mostly(random, '', INTERIM, 0.1);
  const bytes = Array.from({ length: LENGTH }, () => String.fromCharCode(Math.floor(random() * 256))).join(
    '',
  );
  const chunked = lines.some((line) => /chunked/i.test(line)) && random() < 0.7;
  const whole = chunked ? `${LENGTH.toString(16)}\r\n${bytes}\r\n0\r\n\r\n` : bytes;
  const body = mostly(
    random,
    whole,
    [whole.slice(0, -1), '', `${whole}x`, `${whole}HTTP/1.1 200 OK\r\n\r\n`],
    0.15,
  );
  const text = Buffer.from(`${interim}${lines.join(lineEnd)}${lineEnd}${lineEnd}${body}`, 'latin1');
  const cut = Math.floor(random() * text.length);
  return random() < 0.5 ? [text] : [text.subarray(0, cut), text.subarray(cut)];
}

type Read =
  | { readonly kind: 'taken'; readonly bytes: string }
  | { readonly kind: 'refused' | 'left to node' };

let server: net.Server;
let answers: Buffer[][];
beforeAll(async () => {
  // The path names the answer. A connection brings one and ends.
  server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', async (request) => {
      const answer = answers[Number(/^GET \/(\d+)/.exec(request.toString())?.[1])] ?? [];
      const [first = '', second] = answer;
      if (second) {
        socket.setNoDelay(true).write(first);
        await new Promise(setImmediate);
        socket.end(second);
      } else socket.end(first);
    });
  });
  await once(server.listen(0, '127.0.0.1', 1_000), 'listening');
});
afterAll(() => void server.close());

const origin = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

async function readByConnection(n: number): Promise<Read> {
  const into = { bytes: Buffer.alloc(LENGTH), filled: 0 };
  const connection = new RangeConnection({ url: new URL(origin()), lookup: () => {}, stallMs: 5_000 });
  const judge = (status: number) => {
    if (status !== 206) throw new Error('no range');
  };
  try {
    await connection.get({ target: `/${n}`, headers: {}, into, judge });
    return { kind: 'taken', bytes: into.bytes.toString('latin1') };
  } catch (error) {
    return { kind: error instanceof NotPlain ? 'left to node' : 'refused' };
  } finally {
    connection.close();
  }
}

async function readByNode(n: number): Promise<Read> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  const request = http.get(`${origin()}/${n}`, { agent: false }, resolve);
  // A switch of protocols ends the request without an error or an answer.
  request.on('error', reject).on('close', reject);
  try {
    const response = await promise;
    const body = await buffer(response);
    const isRange = response.statusCode === 206 && response.complete && body.length === LENGTH;
    return isRange ? { kind: 'taken', bytes: body.toString('latin1') } : { kind: 'refused' };
  } catch {
    return { kind: 'refused' };
  } finally {
    request.destroy();
  }
}

test('whatever a server answers, the range that is read is the one that node:http reads', async () => {
  const seed = Date.now() % 2 ** 32;
  const random = seededRandom(seed);
  answers = Array.from({ length: ANSWERS }, () => answerFrom(random));
  const counts: Record<string, number> = {};
  await inParallel([...answers.keys()], AT_ONCE, async (n) => {
    const [own, node] = await Promise.all([readByConnection(n), readByNode(n)]);
    const told = `seed ${seed}, answer ${n}: ${JSON.stringify(Buffer.concat(answers[n]!).toString('latin1'))}`;
    if (own.kind === 'taken') expect(node, told).toEqual(own);
    const outcome = `${own.kind}, node ${node.kind}`;
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  });
  // Whatever the seed, the answers are of all sorts.
  expect(counts['taken, node taken'], `seed ${seed}`).toBeGreaterThan(1_000);
  expect(counts['refused, node refused'], `seed ${seed}`).toBeGreaterThan(300);
  expect(counts['left to node, node refused'], `seed ${seed}`).toBeGreaterThan(300);
  expect(counts['left to node, node taken'], `seed ${seed}`).toBeGreaterThan(50);
});
