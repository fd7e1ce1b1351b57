import { type CopyRow, type CopyUpload, isCurrent, type SegmentRow } from '../domain/copying/copy.ts';
import { concurrencyFor, partRange } from '../domain/copying/copy-plan.ts';
import {
  copyRetryAt,
  diesSoon,
  givesUp,
  nextCheckAt,
  renewAt,
  tooOften,
} from '../domain/copying/copy-retries.ts';
import type { ByteRange } from '../domain/copying/source-answer.ts';
import type { Claim } from '../engine/claim-writes.ts';
import { holdLease, type Lease } from '../engine/lease.ts';
import type { CopyDependencies } from './copy-dependencies.ts';
import { copyParts } from './copy-parts.ts';
import { type CopyFault, isFault } from './fault-of.ts';
import { remedy } from './remedy.ts';
import { reportFailure } from './report-failure.ts';
import type { Filling } from './source/range-connection.ts';
import type { UploadPlace } from './uploads/s3-call.ts';

/**
 * The work of one worker on one segment: copies the parts that S3 does not hold yet. S3's own list of parts
 * says which, so whatever a worker stored before it died is not fetched again.
 */
export class SegmentCopy {
  readonly #use: CopyDependencies;
  readonly #claim: Claim<SegmentRow>;
  readonly #upload: CopyUpload;
  readonly #place: UploadPlace;
  /** As last read. */
  #copy: CopyRow;
  /** The newest version of the URL that the source refused. */
  #refused = 0;
  #copiedBytes = 0;
  #ownBytes = 0;
  #measured: { at: number; ownBytes: number };

  constructor(
    use: CopyDependencies,
    claim: Claim<SegmentRow>,
    copy: CopyRow,
    upload: CopyUpload,
    place: UploadPlace,
  ) {
    this.#use = use;
    this.#claim = claim;
    this.#copy = copy;
    this.#upload = upload;
    this.#place = place;
    this.#measured = { at: use.now(), ownBytes: 0 };
  }

  /** Copies until all is stored, time is up or an error ends it, and releases the claim accordingly. */
  async run(deadline: number): Promise<void> {
    const { claims, segments, hint, now, log } = this.#use;
    const lease = holdLease(this.#claim, { claims, now, deadline, onBeat: () => this.#beat(lease) });
    try {
      await this.#renewUrlInTime();
      const all = await this.#copyMissing(lease.signal, deadline);
      lease.end();
      if (all) await hint(await segments.finishSegment(this.#claim, this.#copiedBytes));
      else await this.#outOfTime();
    } catch (error) {
      lease.end();
      await remedy(this.#use, this.#copy, lease.signal.aborted ? lease.signal.reason : error, {
        fail: (reason) => this.#fail(reason),
        restart: (reason, streamed) => this.#restart(reason, streamed),
        renew: ({ reason }) => this.#waitForUrl(reason),
        wait: (fault) => (fault.kind === 'time' ? this.#outOfTime() : this.#wait(fault)),
      });
    }
    const { requestId, segment } = this.#claim.row;
    log.info('segment worked on', { requestId, segment, bytes: this.#ownBytes });
  }

  async #copyMissing(signal: AbortSignal, deadline: number): Promise<boolean> {
    const { segments, uploads, sender, buffers, now, sleep, partLimits, count } = this.#use;
    const { firstPart, lastPart } = this.#claim.row;
    const stored = await uploads.parts(this.#place, firstPart, lastPart);
    const sizes = new Map(stored.map((part) => [part.number, part.size]));
    const parts = Array.from({ length: lastPart - firstPart + 1 }, (_, i) => firstPart + i);
    const all = parts.map((number) => ({ number, ...partRange(number, this.#upload) }));
    const missing = all.filter(({ number, length }) => sizes.get(number) !== length);
    const sum = (jobs: readonly ByteRange[]) => jobs.reduce((bytes, { length }) => bytes + length, 0);
    this.#copiedBytes = sum(all) - sum(missing);
    if (this.#copiedBytes > this.#claim.row.copiedBytes) {
      await segments.progress(this.#claim, this.#measure());
    }
    return copyParts(missing, {
      route: {
        fetch: (range, into) => this.#fetch(range, into, signal),
        store: async (part, body, crc) => {
          await sender.send(await uploads.signPart(this.#place, part, crc), body, signal);
        },
      },
      concurrency: concurrencyFor(this.#upload.partSize, partLimits),
      buffers,
      signal,
      deadline,
      now,
      sleep,
      onStored: ({ length }) => {
        this.#copiedBytes += length;
        this.#ownBytes += length;
        count('BytesCopied', length);
      },
    });
  }

  async #fetch(range: ByteRange, into: Filling, signal: AbortSignal): Promise<void> {
    try {
      await this.#read(range, into, signal);
    } catch (error) {
      if (!isFault(error, 'refused')) throw error;
      await this.#refresh();
      if (!this.#isRenewed()) throw error;
      await this.#read(range, into, signal);
    }
  }

  async #read(range: ByteRange, into: Filling, signal: AbortSignal): Promise<void> {
    const { source, content = {} } = this.#copy;
    try {
      await this.#use.source.read(source.url, range, content, into, signal);
    } catch (error) {
      if (isFault(error, 'refused')) this.#refused = Math.max(this.#refused, source.version);
      throw error;
    }
  }

  /** Whether there is another URL than those that were refused: another worker may have asked for it. */
  #isRenewed(): boolean {
    return this.#copy.source.version > this.#refused;
  }

  async #beat(lease: Lease): Promise<void> {
    const { segments, shown } = this.#use;
    await this.#refresh();
    if (!isCurrent(this.#copy, this.#claim.row)) return lease.stop('lost', 'the copy has moved on');
    await segments.progress(this.#claim, this.#measure());
    await shown.showSegments(this.#copy);
    await this.#renewUrlInTime();
  }

  async #refresh(): Promise<void> {
    const copy = await this.#use.copies.get(this.#copy.requestId);
    this.#copy = copy ?? { ...this.#copy, canceled: true };
  }

  #measure(): Pick<SegmentRow, 'copiedBytes' | 'bytesPerSecond'> {
    const at = this.#use.now();
    const seconds = Math.max(1, at - this.#measured.at) / 1000;
    const bytesPerSecond = Math.round((this.#ownBytes - this.#measured.ownBytes) / seconds);
    this.#measured = { at, ownBytes: this.#ownBytes };
    return { copiedBytes: this.#copiedBytes, bytesPerSecond };
  }

  /** Has the URL renewed before it expires, where that is known. */
  async #renewUrlInTime(): Promise<void> {
    const { source, urlWantedSince, consecutiveFailures } = this.#copy;
    const at = this.#use.now();
    if (diesSoon(source, at) && urlWantedSince === undefined) await this.#askForUrl(at, consecutiveFailures);
  }

  async #askForUrl(at: number, consecutiveFailures: number | undefined): Promise<void> {
    const { copies, hint } = this.#use;
    await hint(await copies.askForUrl(this.#copy, { at, consecutiveFailures }));
  }

  /** Leaves the rest to another worker; without a part copied this counts as a failure. */
  async #outOfTime(): Promise<void> {
    if (this.#ownBytes > 0) return this.#release(this.#use.now());
    await this.#wait({ kind: 'time', reason: "no part was copied within a worker's time" });
  }

  /** Tries again later, unless it has failed too often. */
  async #wait({ reason, retryAfterMs }: CopyFault): Promise<void> {
    const { now } = this.#use;
    const failures = this.#ownBytes > 0 ? 1 : (this.#claim.row.consecutiveFailures ?? 0) + 1;
    if (givesUp(failures, this.#copy.startedAt, now())) return this.#fail(tooOften(reason, failures));
    reportFailure(this.#use, this.#copy, 'segment waits', { reason, failures });
    await this.#release(copyRetryAt(failures, now(), retryAfterMs), failures);
  }

  /** Asks for a new URL, unless another worker did, and checks for it later. */
  async #waitForUrl(reason: string): Promise<void> {
    const { now } = this.#use;
    await this.#refresh();
    if (this.#isRenewed()) return this.#release(now());
    const { urlWantedSince, consecutiveFailures = 0 } = this.#copy;
    const refused = 'source refused its URL';
    if (urlWantedSince === undefined) {
      const failures = this.#ownBytes > 0 ? 1 : consecutiveFailures + 1;
      if (givesUp(failures, this.#copy.startedAt, now())) return this.#fail(tooOften(reason, failures));
      reportFailure(this.#use, this.#copy, refused, { reason, failures });
      await this.#askForUrl(renewAt(failures, now()), failures);
    } else reportFailure(this.#use, this.#copy, refused, { reason });
    await this.#release(nextCheckAt(urlWantedSince ?? now(), now()));
  }

  async #restart(reason: string, streamed: boolean): Promise<void> {
    const { copies, hint } = this.#use;
    await hint(await copies.restart(this.#claim, this.#copy, { reason, streamed }));
  }

  async #fail(reason: string): Promise<void> {
    const { copies, hint } = this.#use;
    await hint(await copies.fail(this.#claim, this.#copy, reason));
  }

  async #release(at: number, consecutiveFailures?: number): Promise<void> {
    const { segments, hint } = this.#use;
    const copiedBytes = this.#copiedBytes;
    await hint(await segments.release(this.#claim, at, { copiedBytes, consecutiveFailures }));
  }
}
