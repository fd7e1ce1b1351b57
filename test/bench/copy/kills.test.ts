import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeCertificate } from '../../../bench/copy/certificate.ts';
import { measureKills } from '../../../bench/copy/kills.ts';

test('workers killed at random moments leave the object right, no litter, and at most a part per connection to fetch again', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'kills-'));
  try {
    const figures = await measureKills(makeCertificate(dir), { size: 160 * 1024 ** 2, kills: 4 });
    expect(figures, `seed ${figures.seed}`).toMatchObject({ kills: 4, intact: true, litter: 0 });
    expect(figures.mibAgainPerKill).toBeLessThanOrEqual(figures.mibUnderWay);
  } finally {
    rmSync(dir, { recursive: true });
  }
}, 90_000);
