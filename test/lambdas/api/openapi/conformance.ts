import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { Answer } from '../call-api.ts';

/** Headers that say nothing of a route, those of the connection included. */
const USUAL = [
  'cache-control',
  'connection',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'referrer-policy',
  'transfer-encoding',
  'vary',
  'x-content-type-options',
];

/**
 * Compares answers with the API's document: what an answer has that the document does not say, or lacks that it
 * says; null when nothing.
 */
export function createConformance(document: Answer['body']) {
  const faults = createValidator(closed(document));

  return function differences(method: string, path: string, answer: Answer): unknown {
    const said = document.paths[path]?.[method.toLowerCase()]?.responses?.[answer.status];
    if (!said) return `${method} ${path} does not document ${answer.status}`;
    const documented = Object.keys(said.headers ?? {}).map((header) => header.toLowerCase());
    for (const header of documented) {
      if (answer.headers[header] === undefined) return `no header ${header}`;
    }
    for (const header of Object.keys(answer.headers)) {
      if (!USUAL.includes(header) && !documented.includes(header)) return `${header} is not documented`;
    }
    if (!said.content) return answer.body === undefined ? null : 'a body that is not documented';
    const [type, { schema }] = Object.entries(said.content)[0] as [string, { schema: { $ref: string } }];
    if (answer.headers['content-type'] !== type) return answer.headers['content-type'];
    return faults(`openapi${schema.$ref}`, answer.body);
  };
}

/** Compares values with schemas, or with those of the document, named as `openapi#/…`; null when all is well. */
export function createValidator(document: Answer['body']) {
  const ajv = new Ajv2020.default({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema({ $id: 'openapi', ...document });

  return function faults(schema: object | string, value: unknown): unknown {
    const validate = typeof schema === 'string' ? ajv.getSchema(schema) : ajv.compile(schema);
    if (!validate) throw new Error(`The document has no schema ${schema}.`);
    return validate(value) ? null : validate.errors;
  };
}

/** The document with objects that have the fields it names, and no others. */
function closed(schema: Answer['body']): Answer['body'] {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const copied = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, closed(value)]));
  const isObject = copied.type === 'object' && copied.properties && !('additionalProperties' in copied);
  return isObject ? { ...copied, additionalProperties: false } : copied;
}
