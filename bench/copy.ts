import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { crc32 } from 'node:zlib';
import { generatedSlices } from '../local/topaz/video.ts';
import { makeCertificate } from './copy/certificate.ts';
import { compareClients } from './copy/clients.ts';
import { measureHuge } from './copy/huge.ts';
import { measureKills } from './copy/kills.ts';
import { measureScaling } from './copy/scaling.ts';
import { startServers } from './copy/servers.ts';

const usage = `npm run bench:copy -- [options]
Everything on loopback over TLS: a source that generates its bytes, a sink that checks and discards them.
  --size SIZE          of the file that each client copies (default 1GiB)
  --rounds N           of all clients in turn; medians are shown (default 3)
  --only A,B           clients: bridge, lib-storage, "rclone copyurl", ...
  --tables A,B         of clients, workers, kills, huge (default: without huge)
  --kills N            (default 10)
  --kills-size SIZE    (default 512MiB)
  --json               one JSON document on standard output`;

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '1GiB' },
    rounds: { type: 'string', default: '3' },
    kills: { type: 'string', default: '10' },
    'kills-size': { type: 'string', default: '512MiB' },
    tables: { type: 'string', default: 'clients,workers,kills' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit();
}
const size = bytesOf(values.size);
const tables = values.tables.split(',');
const WORKERS_SIZE = bytesOf('512MiB');

const dir = mkdtempSync(join(tmpdir(), 'bench-copy-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
const certificate = makeCertificate(dir);

const clients = tables.includes('clients') ? await clientsTable() : undefined;
const workers = tables.includes('workers') ? await measureScaling(certificate, WORKERS_SIZE) : undefined;
const kills = tables.includes('kills')
  ? await measureKills(certificate, { size: bytesOf(values['kills-size']), kills: Number(values.kills) })
  : undefined;

const huge = tables.includes('huge') ? await measureHuge(certificate) : undefined;

if (values.json) console.log(JSON.stringify({ clients, workers, kills, huge }));
else {
  show(`${values.size} by each client, medians of ${values.rounds} rounds`, clients);
  show('512 MiB by 1, 2, 4 workers with 50 ms latency and 20 MiB/s each', workers);
  show(`${values['kills-size']} by 2 workers that are killed at random moments`, kills && { all: kills });
  if (huge) {
    const { paper, ...copied } = huge;
    const { dollars, ...plan } = paper;
    show('200 GiB on paper', { plan });
    show('and its dollars', { dollars });
    show('three segments of it in earnest', { copied });
  }
}

async function clientsTable() {
  const servers = await startServers(certificate);
  let expectedCrc = 0;
  for (const slice of generatedSlices('bench', 0, size)) expectedCrc = crc32(slice, expectedCrc);
  const rounds = Number(values.rounds);
  try {
    return await compareClients(servers, certificate, dir, {
      size,
      rounds,
      expectedCrc,
      only: values.only?.split(','),
    });
  } finally {
    servers.stop();
  }
}

function show(title: string, rows: Record<string, object> | undefined): void {
  if (!rows) return;
  const rounded = (value: unknown) => (typeof value === 'number' ? Math.round(value * 100) / 100 : value);
  const shown = Object.entries(rows).map(([name, row]) => [
    name,
    Object.fromEntries(Object.entries(row).map(([column, value]) => [column, rounded(value)])),
  ]);
  console.log(`\n${title}`);
  console.table(Object.fromEntries(shown));
}

function bytesOf(text: string): number {
  const [, number, unit = 'B'] = /^(\d+)(B|KiB|MiB|GiB)?$/.exec(text) ?? [];
  if (number === undefined) throw new Error(`--size ${text}: write it as 512MiB or 4GiB`);
  return Number(number) * 1024 ** ['B', 'KiB', 'MiB', 'GiB'].indexOf(unit);
}
