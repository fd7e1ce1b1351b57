import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Certificate } from './certificate.ts';

type SinkState = {
  objects: { key: string; size: number; crc: number }[];
  /** Uploads that were neither completed nor aborted. */
  open: { key: string; parts: { number: number; size: number; crc: number }[] }[];
  /** Bytes, also those of parts sent twice. */
  received: number;
};

export type Servers = {
  readonly sourceUrl: string;
  readonly sinkUrl: string;
  /** Bytes that the source has sent. */
  served(): Promise<number>;
  sink(): Promise<SinkState>;
  stop(): void;
};

/** Starts source and sink, each a process of its own on loopback, over TLS. */
export async function startServers(
  certificate: Certificate,
  limits: { latencyMs?: number; bytesPerSecond?: number } = {},
): Promise<Servers> {
  const files = { certFile: certificate.certFile, keyFile: certificate.keyFile };
  const source = await start('source-server.ts', { ...files, ...limits });
  const sink = await start('sink-server.ts', { ...files, latencyMs: limits.latencyMs });
  return {
    sourceUrl: `https://localhost:${source.port}`,
    sinkUrl: `https://localhost:${sink.port}`,
    served: async () => (await ask<{ served: number }>(source.child, 'served')).served,
    sink: () => ask<SinkState>(sink.child, 'state'),
    stop: () => {
      source.child.disconnect();
      sink.child.disconnect();
    },
  };
}

async function start(file: string, options: object): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(options)]);
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return { child, port };
}

async function ask<T>(child: ChildProcess, question: string): Promise<T> {
  child.send(question);
  const [answer] = (await once(child, 'message')) as [T];
  return answer;
}
