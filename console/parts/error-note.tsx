import { ApiError } from '../../client/client.ts';

/** What went wrong, in words, with what to do; nothing when nothing did. */
export function ErrorNote({ error }: { readonly error: unknown }) {
  if (error === undefined || error === null) return null;
  const fields = error instanceof ApiError ? (error.problem.errors ?? []) : [];
  const message = error instanceof Error ? error.message : String(error);
  return (
    <div class="note bad" role="alert">
      {fields.length === 0 ? (
        <p>{message}</p>
      ) : (
        <ul>
          {fields.map(({ path, message: text }) => (
            <li key={path + text}>
              {path !== '' && <code>{path}</code>} {text}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
