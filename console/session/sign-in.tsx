import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { ApiError } from '../../client/client.ts';
import { ErrorNote } from '../parts/error-note.tsx';
import { useTitle } from '../parts/use-title.ts';
import { signedOutBecause, signIn } from './session.ts';

/** Asks for the key. It stays in this tab, and goes nowhere but into the header of calls. */
export function SignIn() {
  const key = useSignal('');
  const error = useSignal<unknown>(signedOutBecause.value ? new Error(signedOutBecause.value) : undefined);
  const busy = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  useTitle('Sign in');
  useEffect(() => field.current?.focus(), []);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    busy.value = true;
    try {
      await signIn(key.value.trim());
    } catch (thrown) {
      error.value = thrown instanceof ApiError && thrown.status === 403 ? new Error(NOT_FOR_PAGES) : thrown;
    } finally {
      busy.value = false;
    }
  }

  return (
    <section class="page sign-in">
      <h1>Sign in</h1>
      <form onSubmit={submit}>
        <label>
          API key
          <input
            ref={field}
            type="password"
            autocomplete="off"
            required
            value={key.value}
            onInput={({ currentTarget }) => {
              key.value = currentTarget.value;
            }}
          />
        </label>
        <ErrorNote error={error.value} />
        <button type="submit" class="primary" disabled={busy.value}>
          Sign in
        </button>
      </form>
      <p class="hint">
        <code>npm start</code> prints the key. A deployment keeps it in the secret of the output{' '}
        <code>ApiKeySecretArn</code>. This tab forgets it when you close it.
      </p>
    </section>
  );
}

const NOT_FOR_PAGES =
  'This key only fetches messages of one endpoint. Use one with the role "read" or "admin".';
