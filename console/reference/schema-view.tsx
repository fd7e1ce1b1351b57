import { Prose } from '../parts/prose.tsx';
import { capital } from '../parts/words.ts';
import { boundsInWords, refName, type Schema, typeInWords } from './document.ts';

/** The fields of an object, nested ones below them. */
export function SchemaView({ schema }: { readonly schema: Schema }) {
  const name = refName(schema);
  if (name)
    return (
      <p>
        <a href={`#${name}`}>{name}</a>
      </p>
    );
  const inner = objectIn(schema);
  if (!inner?.properties) return <p>{typeInWords(schema)}</p>;
  return (
    <dl class="fields">
      {Object.entries(inner.properties).map(([field, value]) => (
        <div key={field}>
          <dt>
            <code>{field}</code> <Type schema={value} />{' '}
            {!inner.required?.includes(field) && <span class="subtle">optional</span>}
          </dt>
          <dd>
            <Prose text={[descriptionOf(value), boundsOf(value)].filter(Boolean).join(' ')} />
            {objectIn(value)?.properties && <SchemaView schema={objectIn(value) ?? {}} />}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Type({ schema }: { readonly schema: Schema }) {
  const target = refName(schema) ?? refName(schema.items ?? {}) ?? schema.anyOf?.map(refName).find(Boolean);
  const text = typeInWords(schema);
  return <span class="type-name">{target ? <a href={`#${target}`}>{text}</a> : text}</span>;
}

const boundsOf = (schema: Schema): string => {
  const bounds = boundsInWords(schema);
  return bounds && `${capital(bounds)}.`;
};

/** What is said of a schema; of one that may be null, what is said of the other value. */
const descriptionOf = (schema: Schema): string | undefined =>
  schema.description ?? objectIn(schema)?.description ?? schema.anyOf?.map(descriptionOf).find(Boolean);

/** The object that a schema is, holds a list of, or may be. */
function objectIn(schema: Schema): Schema | undefined {
  if (schema.properties) return schema;
  if (schema.items && !refName(schema.items)) return objectIn(schema.items);
  if (typeof schema.additionalProperties === 'object') return objectIn(schema.additionalProperties);
  return schema.anyOf?.map(objectIn).find(Boolean);
}
