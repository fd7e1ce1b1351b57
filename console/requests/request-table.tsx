// biome-ignore-all lint/a11y/useSemanticElements: rows that are placed by hand cannot be those of a <table>
// biome-ignore-all lint/a11y/useFocusableInteractive: a list that is read is no grid; its links take the focus
import { useSignal } from '@preact/signals';
import type { VirtualItem } from '@tanstack/virtual-core';
import type { VNode } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { Link } from 'wouter-preact';
import type { VideoRequest } from '../../client/client.ts';
import { timeLeft } from '../../client/time-left.ts';
import { Badge } from '../parts/badge.tsx';
import { stageOf, videoInWords } from '../parts/stages.ts';
import { Ago, clock } from '../parts/time.tsx';
import { roughly } from '../parts/words.ts';
import type { RequestStore } from './request-store.ts';
import { StageBar } from './stage-bar.tsx';
import { useVirtualizer } from './use-virtualizer.ts';

const NARROW = matchMedia('(max-width: 760px)');
const ROW = 56;
const NARROW_ROW = 112;
const REFRESH_MS = 3_000;
/** Rows from the end at which the next page is loaded. */
const AHEAD = 30;

/** The rows of the list; only those in sight are in the page. */
export function RequestTable({ store }: { readonly store: RequestStore }) {
  const scroller = useRef<HTMLDivElement>(null);
  const isNarrow = useSignal(NARROW.matches);
  const rows = store.all.value;
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    initialOffset: store.scrollTop,
    estimateSize: () => (isNarrow.value ? NARROW_ROW : ROW),
  });
  const items = virtualizer.getVirtualItems();
  const drawnRows = useDrawnRows(items, rows);
  const seen = useRef<string[]>([]);
  seen.current = items.flatMap(({ index }) => rows[index]?.requestId ?? []);

  useLayoutEffect(() => scroller.current?.scrollTo(0, store.scrollTop), [store]);
  useEffect(() => {
    const changed = () => {
      isNarrow.value = NARROW.matches;
      virtualizer.measure();
    };
    NARROW.addEventListener('change', changed);
    const table = scroller.current;
    const scrolled = () => {
      store.scrollTop = table?.scrollTop ?? 0;
    };
    table?.addEventListener('scroll', scrolled, { passive: true });
    if (store.all.peek().length > 0) void store.refresh(seen.current);
    else void store.loadMore().then(() => store.refresh([]));
    const timer = setInterval(() => {
      if (!document.hidden) void store.refresh(seen.current);
    }, REFRESH_MS);
    return () => {
      NARROW.removeEventListener('change', changed);
      clearInterval(timer);
      table?.removeEventListener('scroll', scrolled);
      store.stop();
    };
  }, [store]);

  // Also while nothing is found: a filter may match what comes much later. An error waits for the next refresh.
  const isNearEnd = (items.at(-1)?.index ?? 0) >= rows.length - AHEAD;
  const mayLoad = !store.complete.value && !store.loading.value && store.error.value === undefined;
  useEffect(() => {
    if (isNearEnd && mayLoad) void store.loadMore();
  }, [isNearEnd, mayLoad, rows.length]);

  return (
    <div
      class="request-table"
      ref={scroller}
      role="table"
      aria-label="Requests"
      aria-rowcount={store.complete.value ? rows.length : -1}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
      tabIndex={0}
    >
      <div role="rowgroup" class="table-head">
        <div class="request-row" role="row">
          {['Request', 'Status', 'Progress', 'Time left', 'Video', 'Registered'].map((name) => (
            <span key={name} role="columnheader">
              {name}
            </span>
          ))}
        </div>
      </div>
      <div class="rows" role="rowgroup" style={{ height: `${virtualizer.getTotalSize()}px` }}>
        {drawnRows}
      </div>
    </div>
  );
}

type Drawn = Pick<VirtualItem, 'index' | 'start' | 'size'> & {
  readonly request: VideoRequest;
  readonly row: VNode;
};

/**
 * The rows in sight, each the same one as before while nothing of it changes, so that scrolling renders only what
 * comes into sight.
 */
function useDrawnRows(items: readonly VirtualItem[], requests: readonly VideoRequest[]): VNode[] {
  const before = useRef<ReadonlyMap<string, Drawn>>(new Map());
  const drawn = items.flatMap(({ index, start, size }): Drawn[] => {
    const request = requests[index];
    if (!request) return [];
    const old = before.current.get(request.requestId);
    if (old?.request === request && old.index === index && old.start === start && old.size === size)
      return [old];
    const style = { transform: `translateY(${start}px)`, height: `${size}px` };
    const row = <Row key={request.requestId} request={request} index={index} style={style} />;
    return [{ request, index, start, size, row }];
  });
  before.current = new Map(drawn.map((each) => [each.request.requestId, each]));
  return drawn.map(({ row }) => row);
}

type RowProps = {
  readonly request: VideoRequest;
  readonly index: number;
  readonly style: Record<string, string>;
};

function Row({ request, index, style }: RowProps) {
  const { requestId, status, progress, registeredAt, state, parked, metadata } = request;
  const stage = stageOf(status);
  const left = timeLeft(request, clock.value);
  const copied = videoInWords(request);
  const note = problemOf(request) ?? metadataLine(metadata);
  return (
    <div
      class={`request-row ${parked ? 'is-parked' : ''}`}
      role="row"
      aria-rowindex={index + 1}
      style={style}
    >
      <span role="cell" class="cell-id">
        <Link href={`/requests/${requestId}`} title={[requestId, note].filter(Boolean).join('\n')}>
          <span class="mono">{requestId}</span>
        </Link>
        <span class="subtle clip">{note}</span>
      </span>
      <span role="cell" class="cell-stage">
        <StageBar request={request} />
        <span class="stage-name">
          {parked ? (
            <Badge tone="bad">needs you</Badge>
          ) : state === 'stopped' ? (
            <Badge tone="idle">stopped</Badge>
          ) : (
            stage.label
          )}
        </span>
      </span>
      <span role="cell" class={`number ${progress === null ? 'is-none' : ''}`}>
        {progress === null ? '–' : `${Math.round(progress)} %`}
      </span>
      <span role="cell" class={`number cell-left ${left === undefined ? 'is-none' : ''}`}>
        {left === undefined ? '–' : `≈ ${roughly(Math.max(1_000, left))}`}
      </span>
      <span role="cell" class={`cell-video ${copied ? '' : 'is-none'}`}>
        {copied ? <Badge tone={copied.tone}>{copied.label}</Badge> : '–'}
      </span>
      <span role="cell" class="subtle cell-time">
        <Ago at={registeredAt} />
      </span>
    </div>
  );
}

/** What stands in a request's way, if anything does. */
const problemOf = ({ parked, video, message, lastError }: VideoRequest): string | undefined =>
  parked?.reason ?? video?.error ?? message ?? lastError?.reason;

const metadataLine = (metadata: Record<string, string>): string =>
  Object.entries(metadata)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, 3)
    .map(([name, value]) => `${name}: ${value}`)
    .join(' · ');
