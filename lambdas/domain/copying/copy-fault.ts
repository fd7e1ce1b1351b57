/**
 * How the source fails:
 * - `refused`: the URL does not work (expired, revoked, or the video is not there): another is needed;
 * - `changed`: it has other bytes than those begun with;
 * - `unranged`: it answers a range with something else;
 * - `interrupted`: the one stream of a source without ranges broke off;
 * - `busy`: not now: it is overloaded, or what it serves is not a video yet;
 * - `broken`: the exchange broke;
 * - `unusable`: it can never be copied: compressed, too large, or where the bridge must not go;
 * - `moved`: it redirects.
 */
export type SourceFaultKind =
  | 'refused'
  | 'changed'
  | 'unranged'
  | 'interrupted'
  | 'busy'
  | 'broken'
  | 'unusable'
  | 'moved';

/**
 * How the bucket fails:
 * - `gone`: the upload does not exist any more, or can never be completed;
 * - `denied`: a permission is missing, or the use of the key, or the bucket is somewhere else;
 * - `corrupt`: S3 computed another checksum of what it received;
 * - `taken`: an object is at the key already;
 * - `stale-parts`: parts were replaced after they were listed;
 * - `hopeless`: the same request can never succeed;
 * - `unavailable`: the same request may succeed later.
 */
export type BucketFaultKind =
  | 'gone'
  | 'denied'
  | 'corrupt'
  | 'taken'
  | 'stale-parts'
  | 'hopeless'
  | 'unavailable';

/** Why the work was stopped from outside: the worker's time is up, or the row is another worker's. */
type StopKind = 'time' | 'lost';

export type CopyFaultKind = SourceFaultKind | BucketFaultKind | StopKind;

/**
 * What a copy does about a fault:
 * - `wait`: the same again, later;
 * - `renew`: ask upstream for a fresh URL;
 * - `restart`: begin again from the first byte, as a new upload;
 * - `stream`: the same, but by one plain GET, which needs no ranges and no stable ETag;
 * - `fail`: give up and tell the user;
 * - `park`: leave it to a person, unless it works again within minutes;
 * - `stop`: nothing, since another worker has the row.
 */
type Remedy = 'wait' | 'renew' | 'restart' | 'stream' | 'fail' | 'park' | 'stop';

const REMEDIES: Readonly<Record<CopyFaultKind, Remedy>> = {
  refused: 'renew',
  changed: 'restart',
  unranged: 'stream',
  interrupted: 'restart',
  busy: 'wait',
  broken: 'wait',
  unusable: 'fail',
  moved: 'fail',
  gone: 'restart',
  denied: 'park',
  corrupt: 'wait',
  taken: 'restart',
  'stale-parts': 'restart',
  hopeless: 'fail',
  unavailable: 'wait',
  time: 'wait',
  lost: 'stop',
};

/**
 * The one rule of what a copy does about a fault.
 *
 * @param restarts how often the copy has begun again: bytes that change a second time are taken for
 *   ranges that cannot be relied on (an ETag for each node, a refusal of its own ETag)
 */
export function remedyFor(kind: CopyFaultKind, restarts = 0): Remedy {
  return kind === 'changed' && restarts > 0 ? 'stream' : REMEDIES[kind];
}

/** Whether a part is worth another try by the same worker, seconds later. */
export const mayPassSoon = (kind: CopyFaultKind): boolean =>
  remedyFor(kind) === 'wait' || remedyFor(kind) === 'stream';
