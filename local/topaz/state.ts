import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import { type SavedJobs, savedJobsSchema } from './jobs.ts';

const stateSchema = z.object({ signingKey: z.string(), jobs: savedJobsSchema });

/** What the simulation keeps: in `file`, or, without one, nowhere. */
export function openState(file: string | undefined) {
  const saved =
    file && existsSync(file) ? stateSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) : undefined;
  const signingKey = saved?.signingKey ?? randomBytes(32).toString('hex');

  function saveJobs(jobs: SavedJobs): void {
    if (!file) return;
    // A rename, so that a kill leaves the old state or the new one.
    writeFileSync(`${file}.new`, JSON.stringify({ signingKey, jobs }), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }

  return { signingKey: Buffer.from(signingKey, 'hex'), jobs: saved?.jobs ?? [], saveJobs };
}
