import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import tls, { type TLSSocket } from 'node:tls';
import { generatedVideo } from '../../local/topaz/video.ts';

/**
 * A process that serves generated videos over TLS: `GET /<seed>/<bytes>.mp4`, with ranges. As light
 * as can be, so that the clients are what is measured. With `latencyMs` each answer comes late; with
 * `bytesPerSecond` each local address, which stands for one worker's network, gets that much.
 */
type Options = { certFile: string; keyFile: string; latencyMs?: number; bytesPerSecond?: number };

const { certFile, keyFile, latencyMs = 0, bytesPerSecond } = JSON.parse(process.argv[2] ?? '{}') as Options;
let served = 0;
/** When each address' share is used up to, ms. */
const usedUntil = new Map<string, number>();

const server = tls.createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, (socket) => {
  let head = '';
  let serving = Promise.resolve();
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    head += chunk.toString('latin1');
    for (let end = head.indexOf('\r\n\r\n'); end >= 0; end = head.indexOf('\r\n\r\n')) {
      const request = head.slice(0, end);
      head = head.slice(end + 4);
      serving = serving.then(() => answer(socket, request)).catch(() => void socket.destroy());
    }
  });
});

async function answer(socket: TLSSocket, request: string): Promise<void> {
  const [, path = '/', seed = '', bytes = '0'] = /^GET (\/([\w-]+)\/(\d+)[^ ]*) /.exec(request) ?? [];
  if (path === '/') return void socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n');
  const video = generatedVideo(seed, Number(bytes));
  const range = /\r\nrange: bytes=(\d+)-(\d*)/i.exec(request);
  const start = Number(range?.[1] ?? 0);
  const end = Math.min(video.size, range?.[2] ? Number(range[2]) + 1 : video.size);
  await sleep(latencyMs);
  socket.write(
    [
      `HTTP/1.1 ${range ? '206 Partial Content' : '200 OK'}`,
      'content-type: video/mp4',
      'accept-ranges: bytes',
      `content-length: ${end - start}`,
      ...(range ? [`content-range: bytes ${start}-${end - 1}/${video.size}`] : []),
      `etag: ${video.etag}`,
      '\r\n',
    ].join('\r\n'),
  );
  for (const slice of video.slices(start, end)) {
    if (bytesPerSecond) await takeTurn(socket.localAddress ?? '', slice.length, bytesPerSecond);
    if (socket.destroyed) return;
    served += slice.length;
    if (!socket.write(slice)) await writable(socket);
  }
}

function writable(socket: TLSSocket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = () => {
    socket.off('drain', done).off('close', done);
    resolve();
  };
  socket.on('drain', done).on('close', done);
  return promise;
}

async function takeTurn(address: string, bytes: number, rate: number): Promise<void> {
  const from = Math.max(performance.now(), usedUntil.get(address) ?? 0);
  usedUntil.set(address, from + (bytes * 1000) / rate);
  const wait = from - performance.now();
  if (wait > 2) await sleep(wait);
}

process.on('message', (question) => {
  if (question === 'served') process.send?.({ served });
});
process.on('disconnect', () => process.exit());
server.listen(0, () => process.send?.({ port: (server.address() as { port: number }).port }));
