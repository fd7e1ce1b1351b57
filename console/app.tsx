import { useEffect, useRef } from 'preact/hooks';
import { Link, Redirect, Route, Router, Switch, useLocation } from 'wouter-preact';
import { EndpointPage } from './endpoints/endpoint-page.tsx';
import { EndpointsPage } from './endpoints/endpoints-page.tsx';
import { EventsPage } from './events/events-page.tsx';
import { OverviewPage } from './overview/overview-page.tsx';
import { ReferencePage } from './reference/reference-page.tsx';
import { RequestPage } from './request/request-page.tsx';
import { RequestsPage } from './requests/requests-page.tsx';
import { session, signOut } from './session/session.ts';
import { SignIn } from './session/sign-in.tsx';

const PAGES = [
  ['/requests', 'Requests'],
  ['/endpoints', 'Endpoints'],
  ['/overview', 'Overview'],
  ['/events', 'Events'],
  ['/reference', 'Reference'],
] as const;

/** The frame of all pages. */
export function App() {
  return (
    <Router base="/console">
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Header />
      <main id="main" tabIndex={-1}>
        <Switch>
          <Route path="/reference" component={ReferencePage} />
          {session.value === undefined && <Route component={SignIn} />}
          <Route path="/requests" component={RequestsPage} />
          <Route path="/requests/:id">{({ id }) => <RequestPage key={id} id={id} />}</Route>
          <Route path="/endpoints" component={EndpointsPage} />
          <Route path="/endpoints/:id">{({ id }) => <EndpointPage key={id} id={id} />}</Route>
          <Route path="/overview" component={OverviewPage} />
          <Route path="/events" component={EventsPage} />
          <Route path="/">
            <Redirect to="/requests" replace />
          </Route>
          <Route component={Missing} />
        </Switch>
      </main>
    </Router>
  );
}

/** After a change of the page the focus is at its content, and a page that was not seen before begins at its top. */
function useFreshPage(): void {
  const [path] = useLocation();
  // Signing in also shows a new page.
  const isSignedIn = session.value !== undefined;
  const page = isSignedIn ? path : undefined;
  const shown = useRef(page);
  const goesBack = useRef(false);
  const pathname = useRef(location.pathname);
  useEffect(() => {
    // A link to a place within the page changes the address, too, and is no way back.
    const note = () => {
      goesBack.current = location.pathname !== pathname.current;
    };
    addEventListener('popstate', note);
    return () => removeEventListener('popstate', note);
  }, []);
  useEffect(() => {
    if (shown.current === page) return;
    shown.current = page;
    pathname.current = location.pathname;
    if (page === undefined) return;
    document.getElementById('main')?.focus({ preventScroll: true });
    if (!goesBack.current) scrollTo(0, 0);
    goesBack.current = false;
  }, [page]);
}

function Header() {
  useFreshPage();
  const [path] = useLocation();
  const who = session.value?.who;
  return (
    <header class="top">
      <Link class="brand" href="/requests">
        Webhook bridge
      </Link>
      <nav aria-label="Pages">
        {PAGES.map(([href, name]) => (
          <Link key={href} href={href} aria-current={path.startsWith(href) ? 'page' : undefined}>
            {name}
          </Link>
        ))}
      </nav>
      {who && (
        <div class="who">
          <span title={`The role of this key is ${who.role}.`}>
            {who.id}
            {who.role === 'read' && ' (read only)'}
          </span>
          <button type="button" class="quiet" onClick={() => signOut()}>
            Sign out
          </button>
        </div>
      )}
    </header>
  );
}

function Missing() {
  return (
    <section class="page">
      <h1>There is no such page</h1>
      <p>
        Go to the <Link href="/requests">requests</Link>.
      </p>
    </section>
  );
}
