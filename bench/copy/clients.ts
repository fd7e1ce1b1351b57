import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { median } from '../quantile.ts';
import type { Certificate } from './certificate.ts';
import { type Measured, measure } from './measure.ts';
import type { Servers } from './servers.ts';

const MIB = 1024 ** 2;

/** A way to copy a URL to S3, as a shell command. */
type Client = { readonly name: string; readonly needs?: string[]; command(from: string, to: Target): string };
type Target = { readonly sinkUrl: string; readonly key: string };

type ClientFigures = { mibPerSecond: number; cpuSecondsPerGiB: number; peakRssMiB: number };

/** The bridge's engine and what a user might pick instead, each as installed and with its defaults. */
function allClients(certificate: Certificate, dir: string): Client[] {
  const node = (name: string) => {
    const script = bundle(name, dir);
    return (from: string, { sinkUrl, key }: Target) =>
      `${process.execPath} ${script} '${from}' ${sinkUrl} ${key}`;
  };
  const get = (from: string) => `curl -sf --cacert ${certificate.certFile} '${from}'`;
  return [
    { name: 'bridge', command: node('bridge-client') },
    { name: 'lib-storage', command: node('lib-storage-client') },
    {
      name: 'rclone copyurl',
      needs: ['rclone'],
      command: (from, { sinkUrl, key }) =>
        `rclone copyurl --ca-cert ${certificate.certFile} '${from}' ':s3,provider=Other,endpoint="${sinkUrl}",env_auth=true,no_check_bucket=true:videos/${key}'`,
    },
    {
      name: 'curl | aws s3 cp',
      needs: ['curl', 'aws'],
      command: (from, { sinkUrl, key }) =>
        `${get(from)} | aws s3 cp --ca-bundle ${certificate.certFile} --endpoint-url ${sinkUrl} --only-show-errors - s3://videos/${key}`,
    },
    {
      name: 'curl | curl',
      needs: ['curl'],
      command: (from, { sinkUrl, key }) =>
        `${get(from)} | curl -sf --cacert ${certificate.certFile} -T - ${sinkUrl}/videos/${key}`,
    },
  ];
}

/** Copies `size` bytes by every installed client, in turn, `rounds` times; the medians. */
export async function compareClients(
  servers: Servers,
  certificate: Certificate,
  dir: string,
  { size, rounds, expectedCrc, only }: { size: number; rounds: number; expectedCrc: number; only?: string[] },
): Promise<Record<string, ClientFigures>> {
  const env = {
    NODE_EXTRA_CA_CERTS: certificate.certFile,
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
    // rclone refuses to start with a bundle of the environment's.
    AWS_CA_BUNDLE: undefined,
  };
  const clients = allClients(certificate, dir).filter(
    ({ name, needs = [] }) => (only?.includes(name) ?? true) && needs.every(isInstalled),
  );
  const figures = new Map<string, Measured[]>();
  for (let round = 1; round <= rounds; round++) {
    for (const { name, command } of clients) {
      const key = `${name.replaceAll(/\W+/g, '-')}-${round}`;
      const measured = await measure(
        command(`${servers.sourceUrl}/bench/${size}.mp4`, { sinkUrl: servers.sinkUrl, key }),
        env,
      );
      const stored = (await servers.sink()).objects.find((object) => object.key === key);
      if (stored?.size !== size || stored.crc !== expectedCrc)
        throw new Error(`${name} stored other bytes than it was to`);
      figures.set(name, [...(figures.get(name) ?? []), measured]);
    }
  }
  return Object.fromEntries([...figures].map(([name, all]) => [name, medians(all, size)]));
}

function medians(all: Measured[], size: number): ClientFigures {
  return {
    mibPerSecond: size / MIB / median(all.map(({ seconds }) => seconds)),
    cpuSecondsPerGiB: (median(all.map(({ cpuSeconds }) => cpuSeconds)) * 1024 * MIB) / size,
    peakRssMiB: median(all.map(({ peakRssMiB }) => peakRssMiB)),
  };
}

/** Bundled as deployed, so that the start of the process weighs what it does there. */
function bundle(name: string, dir: string): string {
  const outfile = join(dir, `${name}.mjs`);
  const entry = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  const banner = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";
  buildSync({
    entryPoints: [entry],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    mainFields: ['module', 'main'],
    banner: { js: banner },
  });
  return outfile;
}

function isInstalled(command: string): boolean {
  try {
    execFileSync('bash', ['-c', `command -v ${command}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
