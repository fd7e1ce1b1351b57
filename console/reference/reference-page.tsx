import { useEffect } from 'preact/hooks';
import { Loading } from '../parts/empty.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Json } from '../parts/json.tsx';
import { Prose } from '../parts/prose.tsx';
import { useLive } from '../parts/use-live.ts';
import { useTitle } from '../parts/use-title.ts';
import { apiDocument } from './api-document.ts';
import { type Call, callsByTopic, curlOf, type Document, refName, typeInWords } from './document.ts';
import { SchemaView } from './schema-view.tsx';

/** Every call, made of the API's own document. */
export function ReferencePage() {
  useTitle('Reference');
  const { data, error } = useLive(async () => (await apiDocument()) as unknown as Document, 3_600_000, []);
  const document = data.value;
  useEffect(() => {
    if (!document) return;
    addEventListener('hashchange', showTarget);
    showTarget();
    return () => removeEventListener('hashchange', showTarget);
  }, [document]);
  if (!document)
    return (
      <section class="page">
        <h1>Reference</h1>
        <ErrorNote error={error.value} />
        {!error.value && <Loading />}
      </section>
    );
  const topics = [...callsByTopic(document)];
  return (
    <section class="page reference">
      <h1>Reference</h1>
      <p>
        This page shows <a href="/v1/openapi.json">/v1/openapi.json</a>. Calls need{' '}
        <code>Authorization: Bearer &lt;key&gt;</code>; refusals are problem details (RFC 9457). Every{' '}
        <code>POST</code> takes an <code>Idempotency-Key</code>: the same key and body have one effect in 24
        hours.
      </p>
      <nav class="topics" aria-label="Topics">
        {[...topics.map(([topic]) => topic), 'Webhooks', 'Types'].map((topic) => (
          <a key={topic} href={`#${anchor(topic)}`}>
            {topic}
          </a>
        ))}
      </nav>
      {topics.map(([topic, calls]) => (
        <section key={topic} id={anchor(topic)}>
          <h2>{topic}</h2>
          {calls.map((call) => (
            <CallView key={call.operation.operationId} call={call} />
          ))}
        </section>
      ))}
      <section id="webhooks">
        <h2>Webhooks</h2>
        <p>
          What the bridge sends: a <a href="#Event">signed event</a> as JSON, repeated with the same id until
          the answer is 2xx.
        </p>
        <dl class="fields">
          {Object.entries(document.webhooks).map(([type, { post }]) => (
            <div key={type}>
              <dt>
                <code>{type}</code>
              </dt>
              <dd>
                <Prose text={post.summary} />
              </dd>
            </div>
          ))}
        </dl>
      </section>
      <section id="types">
        <h2>Types</h2>
        {Object.entries(document.components.schemas).map(([name, schema]) => (
          <details key={name} id={name} class="panel call">
            <summary>
              <h3>{name}</h3>
            </summary>
            <SchemaView schema={schema} />
            {schema.examples && <Json value={schema.examples[0]} label={`Example of ${name}`} />}
          </details>
        ))}
      </section>
    </section>
  );
}

/** Opens what the address names, and scrolls to it. */
function showTarget(): void {
  const target = document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) target.open = true;
  target?.scrollIntoView();
}

const anchor = (topic: string): string => topic.toLowerCase().replaceAll(' ', '-');

function CallView({ call }: { readonly call: Call }) {
  const { method, path, operation } = call;
  const { operationId, summary, description, parameters, requestBody, responses } = operation;
  const body = requestBody?.content['application/json']?.schema;
  const answers = Object.entries(responses).filter(([status]) => /^[23]/.test(status));
  const refusals = Object.entries(responses).filter(([status]) => /^4/.test(status));
  return (
    <details class="panel call" id={operationId}>
      <summary>
        <span class={`method ${method.toLowerCase()}`}>{method}</span> <code class="break">{path}</code>
        <span class="subtle">
          <Prose text={summary} />
        </span>
      </summary>
      {description && (
        <p>
          <Prose text={description} />
        </p>
      )}
      {parameters.length > 0 && (
        <>
          <h4>Parameters</h4>
          <dl class="fields">
            {parameters.map(({ name, in: place, description: text, schema }) => (
              <div key={place + name}>
                <dt>
                  <code>{name}</code> <span class="type-name">{typeInWords(schema)}</span>{' '}
                  <span class="subtle">in the {place}</span>
                </dt>
                <dd>
                  <Prose text={text ?? schema.description ?? ''} />
                </dd>
              </div>
            ))}
          </dl>
        </>
      )}
      {body && (
        <>
          <h4>Body</h4>
          <SchemaView schema={body} />
        </>
      )}
      <h4>Example</h4>
      <Json value={curlOf(call)} label={`Example of ${operationId}`} />
      <h4>Answers</h4>
      <ul class="plain">
        {answers.map(([status, { content, description: text }]) => {
          const name = refName(content?.['application/json']?.schema ?? {});
          return (
            <li key={status}>
              <code>{status}</code> {text} {name && <a href={`#${name}`}>{name}</a>}
            </li>
          );
        })}
        <li class="subtle">
          Refusals: {refusals.map(([status]) => status).join(', ')}, as <a href="#Problem">Problem</a>
        </li>
      </ul>
    </details>
  );
}
