import { absent, equals, present } from '../adapters/dynamodb/expression.ts';
import type { Table } from '../adapters/dynamodb/table.ts';
import { writeIf } from '../adapters/dynamodb/write-if.ts';
import type { CopyRow } from '../domain/copying/copy.ts';
import { urlCheckAt } from '../domain/copying/copy-retries.ts';
import type { RequestRow } from '../domain/requests/request.ts';
import { requestKey } from '../domain/rows.ts';
import type { Due } from '../domain/work.ts';
import { againWrite, type Claim } from '../engine/claim-writes.ts';
import type { Claims } from '../engine/claims.ts';
import { wake } from '../engine/wake.ts';
import { same } from './copy-change.ts';

/** Asks for the URLs that a copy reads from; only the poll stage has the key to get one. */
export function createUrlRequest({
  table,
  claims,
  now,
}: {
  table: Pick<Table, 'get' | 'write' | 'transact'>;
  claims: Pick<Claims, 'commit'>;
  now: () => number;
}) {
  /**
   * Asks the poll stage for a fresh URL at `at`, unless that was done already; the copy waits for it.
   *
   * @param options.consecutiveFailures including the refusal of the present URL, if it was refused
   */
  async function askForUrl(
    copy: CopyRow,
    { at, consecutiveFailures }: { at: number; consecutiveFailures?: number },
    claim?: Claim<CopyRow>,
  ): Promise<(Due | undefined)[]> {
    const since = now();
    const until = urlCheckAt(since, copy.startedAt, since);
    const set = { urlWantedSince: since, consecutiveFailures };
    const key = requestKey(copy.requestId);
    const request = (await table.get<RequestRow>(key)) ?? key;
    const poll = wake(request, 'poll', at, { set: { urlWanted: true }, if: [present('pk')] });
    if (claim) {
      return [await claims.commit(claim, againWrite(claim, until, { set }), [poll.write]), poll.due];
    }
    const waiting = wake(copy, 'copy', until, {
      set,
      if: [...same(copy), equals('source.version', copy.source.version), absent('urlWantedSince')],
    });
    return (await writeIf(table, waiting.write, poll.write)) ? [waiting.due, poll.due] : [];
  }

  return { askForUrl };
}
