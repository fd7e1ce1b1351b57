import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { createTable } from '../../lambdas/adapters/dynamodb/table.ts';
import { type CopyRow, newCopy } from '../../lambdas/domain/copying/copy.ts';
import { copyKey, requestKey } from '../../lambdas/domain/rows.ts';
import type { Hint, RowKey, Work } from '../../lambdas/domain/work.ts';
import { wake } from '../../lambdas/engine/wake.ts';
import { startTable, TABLE_NAME } from './aws.ts';
import type { Certificate } from './certificate.ts';
import type { Servers } from './servers.ts';
import type { WorkerMessage, WorkerOptions } from './worker.ts';

type Worker = { child: ChildProcess; ready: boolean; row?: Hint };

type FleetOptions = {
  readonly workers: number;
  readonly memoryMiB?: number;
  /** Rows that are left undone when it says no. */
  readonly takes?: (row: Hint) => boolean;
};

/**
 * Workers of the copy stage, each a process, with a real table; this process stands in for the
 * queue, and for the sweep that finds the rows of workers that died.
 */
export async function startFleet(
  servers: Servers,
  certificate: Certificate,
  { workers: width, memoryMiB = 512, takes = () => true }: FleetOptions,
) {
  const database = await startTable();
  const table = createTable(database.client, TABLE_NAME);
  const waiting: Hint[] = [];
  const workers: Worker[] = [];
  let ended: PromiseWithResolvers<void> | undefined;
  let copying: string | undefined;
  let left = false;
  for (let i = 0; i < width; i++) workers.push(hire(i));
  await until(() => workers.every(({ ready }) => ready));

  function hire(i: number): Worker {
    const options: WorkerOptions = {
      tableUrl: database.url,
      sinkUrl: servers.sinkUrl,
      certFile: certificate.certFile,
      address: `127.0.0.${10 + i}`,
      memoryMiB,
    };
    const child = fork(fileURLToPath(new URL('worker.ts', import.meta.url)), [JSON.stringify(options)], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: certificate.certFile },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const worker: Worker = { child, ready: false };
    child.on('message', (message: WorkerMessage) => {
      if (!('hint' in message)) worker.ready = true;
      else if (takes(message.hint)) waiting.push(message.hint);
      else left = true;
      if ('done' in message) delete worker.row;
      void dispatch();
    });
    return worker;
  }

  async function dispatch(): Promise<void> {
    for (const worker of workers) {
      if (!worker.ready || worker.row) continue;
      const row = waiting.shift();
      if (!row) break;
      worker.row = row;
      worker.child.send(row);
    }
    if (copying === undefined || waiting.length > 0 || workers.some(({ row }) => row)) return;
    const copy = await table.get<CopyRow>(copyKey(copying));
    const ends = copy && copy.state !== 'pending' && (copy.state !== 'copying' || (left && !copy.canceled));
    if (ends) ended?.resolve();
  }

  /** Copies a file and returns its request's id once the copy has ended. */
  async function copy(url: string): Promise<string> {
    const requestId = randomUUID();
    const row = newCopy({ requestId, copyId: randomUUID() }, { url }, undefined, Date.now());
    const request = { requestId, status: 'complete', state: 'active', sequence: 0, position: 0 };
    await table.write({ put: { ...requestKey(requestId), ...request } });
    await table.write({ put: row });
    await worked(requestId, row);
    return requestId;
  }

  /** Has a copy canceled and waits for its end. */
  async function cancel(requestId: string): Promise<void> {
    const { write, due } = wake(copyKey(requestId), 'copy', Date.now(), { set: { canceled: true } });
    await table.write(write);
    await worked(requestId, due);
  }

  async function worked(requestId: string, { pk, sk, dueAt = 0 }: RowKey & Work): Promise<void> {
    ended = Promise.withResolvers();
    copying = requestId;
    waiting.push({ pk, sk, dueAt });
    void dispatch();
    await ended.promise;
    copying = undefined;
  }

  /** Kills a worker, puts another in its place, and has its row found as the sweep would after its lease. */
  async function kill(i: number): Promise<void> {
    const worker = workers[i];
    if (!worker) return;
    const gone = new Promise((exited) => worker.child.once('exit', exited));
    worker.child.kill('SIGKILL');
    await gone;
    workers[i] = hire(i);
    const row = worker.row && (await table.get<Hint & Work>(worker.row));
    if (row?.lane === 'copy') waiting.push({ pk: row.pk, sk: row.sk, dueAt: row.dueAt });
    // A hint that died with its sender: rows without a worker are due all the same.
    for (const hint of await table.due('copy', Date.now(), 1000)) {
      if (![...waiting, ...workers.map(({ row }) => row)].some((known) => known?.sk === hint.sk))
        waiting.push(hint);
    }
    await dispatch();
  }

  async function stop(): Promise<void> {
    for (const { child } of workers) child.kill('SIGKILL');
    await database.stop();
  }

  /** How many workers are at a row now. */
  const working = (): number => workers.filter(({ row }) => row).length;

  return { table, copy, cancel, kill, working, stop };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((look) => setTimeout(look, 20));
}
