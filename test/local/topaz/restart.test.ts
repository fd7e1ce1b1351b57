import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { finished, http, REQUEST_ID, simulatedTopaz } from './simulated-topaz.ts';

test('a restart changes nothing for clients: jobs go on, and their URLs still work', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'topaz-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const stateFile = join(folder, 'topaz.json');
  const before = await simulatedTopaz({ stateFile });
  await before.set({ trace: finished(), bytes: 100, faults: [{ at: 'status', kind: 'noProgress' }] });
  const url = new URL(await before.downloadUrl());
  const { body } = await http(url.href);

  const after = await simulatedTopaz({ stateFile });
  const moved = new URL(url.pathname + url.search, after.url);
  expect(await http(moved.href)).toMatchObject({ status: 200, body });
  expect(await after.status(REQUEST_ID)).not.toHaveProperty('progress');
});
