import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { useSearch } from 'wouter-preact';
import type { Client, VideoRequest } from '../../client/client.ts';
import { Choices } from '../parts/choices.tsx';
import { Empty, Loading } from '../parts/empty.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { setQuery } from '../parts/query.ts';
import { STAGES } from '../parts/stages.ts';
import { useTitle } from '../parts/use-title.ts';
import { plural } from '../parts/words.ts';
import { api, isAdmin } from '../session/session.ts';
import { PasteDialog } from './paste-dialog.tsx';
import { RegisterDialog } from './register-dialog.tsx';
import { createRequestStore, type RequestStore } from './request-store.ts';
import { RequestTable } from './request-table.tsx';

const STATES = [
  ['', 'All'],
  ['active', 'Active'],
  ['parked', 'Needs you'],
  ['done', 'Done'],
  ['stopped', 'Stopped'],
] as const;
const TYPING_MS = 300;

type Filter = { readonly state: VideoRequest['state'] | ''; readonly status: string; readonly q: string };

/** The list that was seen last, kept so that Back shows it as it was. */
let last: { client: Client; search: string; store: RequestStore } | undefined;

function listOf(search: string, { state, status, q }: Filter): RequestStore {
  const client = api();
  if (last?.client === client && last.search === search) return last.store;
  const store = createRequestStore(client, {
    state: state || undefined,
    status: status || undefined,
    q: q || undefined,
  });
  last = { client, search, store };
  return store;
}

/** All requests, live. The filter stands in the address, so that it can be shared and gone back to. */
export function RequestsPage() {
  useTitle('Requests');
  const search = useSearch();
  const given = new URLSearchParams(search);
  const filter: Filter = {
    state: (given.get('state') ?? '') as Filter['state'],
    status: given.get('status') ?? '',
    q: given.get('q') ?? '',
  };
  const dialog = useSignal<'register' | 'paste' | undefined>(undefined);
  const round = useSignal(0);
  const store = useMemo(() => listOf(search, filter), [search, round.value]);

  const close = () => {
    dialog.value = undefined;
    // More may have been registered since than a refresh looks at.
    last = undefined;
    round.value++;
  };
  const showAll = () => setQuery({ state: '', status: '', q: '' });

  return (
    <section class="page fill">
      <div class="page-head">
        <h1>Requests</h1>
        <Count store={store} isFiltered={search !== ''} />
        {isAdmin.value && (
          <div class="buttons">
            <button type="button" class="primary" onClick={() => (dialog.value = 'register')}>
              Register a request
            </button>
            <button type="button" onClick={() => (dialog.value = 'paste')}>
              Paste ids
            </button>
          </div>
        )}
      </div>
      <search class="filters">
        <SearchField value={filter.q} onChange={(q) => setQuery({ q })} />
        <Choices
          label="State"
          options={STATES}
          value={filter.state}
          onChange={(state) => setQuery({ state })}
        />
        <select
          aria-label="Status"
          value={filter.status}
          onChange={({ currentTarget }) => setQuery({ status: currentTarget.value })}
        >
          <option value="">Any status</option>
          {['registered', ...STAGES.map(({ status }) => status), 'failed', 'canceled', 'lost'].map(
            (status) => (
              <option key={status}>{status}</option>
            ),
          )}
        </select>
      </search>
      <ErrorNote error={store.error.value} />
      <Rows
        store={store}
        isFiltered={search !== ''}
        onRegister={() => (dialog.value = 'register')}
        onShowAll={showAll}
      />
      {dialog.value === 'register' && <RegisterDialog onClose={close} />}
      {dialog.value === 'paste' && <PasteDialog onClose={close} />}
    </section>
  );
}

type RowsProps = {
  readonly store: RequestStore;
  readonly isFiltered: boolean;
  readonly onRegister: () => void;
  readonly onShowAll: () => void;
};

function Rows({ store, isFiltered, onRegister, onShowAll }: RowsProps) {
  const isEmpty = store.all.value.length === 0;
  return (
    <>
      {isEmpty && !store.complete.value && !store.error.value && <Loading />}
      {isEmpty && store.complete.value && isFiltered && (
        <Empty title="No request matches">
          <p>A search looks at ids, metadata and error texts.</p>
          <button type="button" onClick={onShowAll}>
            Show all requests
          </button>
        </Empty>
      )}
      {isEmpty && store.complete.value && !isFiltered && (
        <Empty title="No requests yet">
          <p>
            Give the bridge the id of a Topaz request. It watches the job, stores the video and tells you.
          </p>
          {isAdmin.value && (
            <button type="button" class="primary" onClick={onRegister}>
              Register the first one
            </button>
          )}
        </Empty>
      )}
      <RequestTable store={store} />
    </>
  );
}

type CountProps = { readonly store: RequestStore; readonly isFiltered: boolean };

function Count({ store, isFiltered }: CountProps) {
  const count = store.all.value.length;
  const isComplete = store.complete.value;
  if (count === 0 && (isComplete || !isFiltered)) return null;
  const soFar = isFiltered
    ? `${plural(count, 'request')} found so far`
    : `the newest ${plural(count, 'request')}`;
  return (
    <span class="subtle" role="status">
      {isComplete ? plural(count, 'request') : soFar}
    </span>
  );
}

function SearchField({
  value,
  onChange,
}: {
  readonly value: string;
  readonly onChange: (q: string) => void;
}) {
  const typed = useSignal(value);
  const given = useRef(value);
  useEffect(() => {
    // What was not typed here came from the address, such as by “Show all requests”.
    if (value !== given.current) typed.value = value;
    given.current = value;
  }, [value]);
  useEffect(() => {
    if (typed.value === value) return;
    const timer = setTimeout(() => {
      given.current = typed.value;
      onChange(typed.value);
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed.value]);
  return (
    <input
      type="search"
      aria-label="Search"
      placeholder="Search id, metadata or error text"
      value={typed.value}
      onInput={({ currentTarget }) => {
        typed.value = currentTarget.value;
      }}
    />
  );
}
