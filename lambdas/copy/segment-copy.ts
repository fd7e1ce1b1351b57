import { type CopyRow, type CopyUpload, isCurrent, type SegmentRow } from '../domain/copying/copy.ts';
import {
  diesSoon,
  MAX_REFUSALS,
  MAX_TROUBLES,
  nextLookAt,
  troubleDueAt,
  URL_WAIT_MS,
} from '../domain/copying/copy-patience.ts';
import { partRange, planWorker } from '../domain/copying/copy-plan.ts';
import type { ByteRange } from '../domain/copying/source-answer.ts';
import type { Claim } from '../engine/claims.ts';
import { holdLease, type Lease, Stopped } from '../engine/lease.ts';
import type { CopyDependencies } from './copy-dependencies.ts';
import { copyParts } from './copy-parts.ts';
import type { Filling } from './source/range-connection.ts';
import { SourceTrouble } from './source/source-error.ts';
import { SinkTrouble } from './uploads/bucket-error.ts';
import type { UploadPlace } from './uploads/uploads.ts';

const PROGRESS_MS = 5_000;

/**
 * One worker's go at one segment: copies the parts that S3 does not hold yet. S3's own list of parts
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

  /** Copies until all is stored, time is up or something is in the way, and releases the claim accordingly. */
  async run(deadline: number): Promise<void> {
    const { claims, segments, hint, now, log } = this.#use;
    const lease = holdLease(this.#claim, { claims, now, deadline, onBeat: () => this.#beat(lease) });
    try {
      await this.#renewUrlInTime();
      const all = await this.#copyMissing(lease.signal, deadline);
      lease.end();
      if (all) await hint(await segments.copied(this.#claim, this.#copiedBytes));
      else await this.#outOfTime();
    } catch (error) {
      lease.end();
      await this.#afterTrouble(lease.signal.aborted ? lease.signal.reason : error);
    }
    const { requestId, segment } = this.#claim.row;
    log.info('segment worked on', { requestId, segment, bytes: this.#ownBytes });
  }

  async #copyMissing(signal: AbortSignal, deadline: number): Promise<boolean> {
    const { segments, uploads, sender, buffers, now, pause, memoryMiB, count } = this.#use;
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
        storePieces: async ({ number, length }, pieces) =>
          sender.sendPieces(await uploads.signPart(this.#place, number), length, pieces, signal),
      },
      ...planWorker(this.#upload.partSize, memoryMiB),
      buffers,
      signal,
      deadline,
      now,
      pause,
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
      if (!isRefusal(error)) throw error;
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
      if (isRefusal(error)) this.#refused = Math.max(this.#refused, source.version);
      throw error;
    }
  }

  /** Whether there is another URL than those that were refused: another worker may have asked for it. */
  #isRenewed(): boolean {
    return this.#copy.source.version > this.#refused;
  }

  async #beat(lease: Lease): Promise<void> {
    const { segments } = this.#use;
    await this.#refresh();
    if (!isCurrent(this.#copy, this.#claim.row)) return lease.stop('lost', 'the copy has moved on');
    await segments.progress(this.#claim, this.#measure());
    await segments.showProgress(this.#copy, PROGRESS_MS);
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
    const { source, urlWantedSince, refusals } = this.#copy;
    if (diesSoon(source, this.#use.now()) && urlWantedSince === undefined) await this.#askForUrl(refusals);
  }

  async #askForUrl(refusals: number | undefined): Promise<void> {
    const { copies, hint, now } = this.#use;
    await hint(await copies.askForUrl(this.#copy, { until: now() + URL_WAIT_MS, refusals }));
  }

  async #afterTrouble(error: unknown): Promise<void> {
    if (error instanceof Stopped) {
      return error.why === 'time' ? this.#outOfTime() : undefined;
    }
    if (error instanceof SinkTrouble && error.fault !== 'denied') {
      if (error.fault === 'hopeless') return this.#fail(error.message);
      return error.fault === 'gone' ? this.#restart('the upload vanished') : this.#wait(error.message);
    }
    if (!(error instanceof SourceTrouble)) throw error;
    const { kind, reason, retryAfterMs } = error.fault;
    if (kind === 'refused') return this.#waitForUrl(reason);
    if (kind === 'changed') return this.#restart(reason);
    if (kind === 'unusable') return this.#fail(reason);
    return this.#wait(reason, retryAfterMs);
  }

  /** Leaves the rest to another worker; without a part copied this is a trouble like any other. */
  async #outOfTime(): Promise<void> {
    if (this.#ownBytes > 0) return this.#release(this.#use.now());
    return this.#wait("no part was copied within a worker's time");
  }

  /** Tries again later, if there is still hope. */
  async #wait(reason: string, retryAfterMs?: number): Promise<void> {
    const troubles = this.#ownBytes > 0 ? 1 : (this.#claim.row.troubles ?? 0) + 1;
    if (troubles > MAX_TROUBLES) return this.#fail(reason);
    this.#use.log.info('segment waits', { requestId: this.#copy.requestId, reason, troubles });
    await this.#release(troubleDueAt(troubles, this.#use.now(), retryAfterMs), troubles);
  }

  async #waitForUrl(reason: string): Promise<void> {
    const { now, log } = this.#use;
    await this.#refresh();
    if (this.#isRenewed()) return this.#release(now());
    const { urlWantedSince, refusals = 0, requestId } = this.#copy;
    if (urlWantedSince === undefined) {
      const next = this.#ownBytes > 0 ? 1 : refusals + 1;
      if (next > MAX_REFUSALS) return this.#fail(`${reason} to ${MAX_REFUSALS} fresh URLs in a row`);
      log.info('source refused its URL', { requestId, reason });
      await this.#askForUrl(next);
    }
    await this.#release(nextLookAt(urlWantedSince ?? now(), now()));
  }

  async #restart(reason: string): Promise<void> {
    const { copies, hint, log } = this.#use;
    log.info('copy begins anew', { requestId: this.#copy.requestId, reason });
    await hint(await copies.restart(this.#claim, this.#copy, reason));
  }

  async #fail(reason: string): Promise<void> {
    const { copies, hint } = this.#use;
    await hint(await copies.fail(this.#claim, this.#copy, reason));
  }

  async #release(wanted: number, troubles?: number): Promise<void> {
    const { segments, hint } = this.#use;
    await hint(await segments.released(this.#claim, wanted, { copiedBytes: this.#copiedBytes, troubles }));
  }
}

const isRefusal = (error: unknown): boolean =>
  error instanceof SourceTrouble && error.fault.kind === 'refused';
