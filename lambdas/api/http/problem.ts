import { STATUS_CODES } from 'node:http';
import type { FieldError } from '../../domain/field-error.ts';

/** A refusal that is sent to the caller, as problem details (RFC 9457). */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    detail: string,
    { errors, headers = {} }: { errors?: readonly FieldError[]; headers?: Record<string, string> } = {},
  ) {
    super(detail);
    this.status = status;
    this.errors = errors;
    this.headers = headers;
  }

  /** The members of the answer's body. */
  details() {
    return {
      type: 'about:blank',
      title: STATUS_CODES[this.status] ?? 'Error',
      status: this.status,
      detail: this.message,
      ...(this.errors ? { errors: this.errors } : {}),
    };
  }
}

/** Wrong fields that one answer names: a body can have more of them than an answer has room for. */
const MAX_FIELD_ERRORS = 20;
/** Characters of a field's path that the answer repeats. */
const MAX_PATH = 200;

/** The input is wrong in the named fields; the answer names the first of them. */
export function invalid(found: readonly FieldError[]): Problem {
  const errors = found.slice(0, MAX_FIELD_ERRORS).map(({ path, message }) => ({
    path: path.length > MAX_PATH ? `${path.slice(0, MAX_PATH)}…` : path,
    message,
  }));
  const named = errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  const more = found.length - errors.length;
  if (more > 0) named.push(`${more} more ${more === 1 ? 'field is' : 'fields are'} wrong.`);
  return new Problem(400, named.join(' '), { errors });
}

/** An earlier call with this idempotency key made something that has been deleted since; it is not made again. */
export function createdAndGone(what: string): Problem {
  const message = `The ${what} that was made with this key has been deleted since: send a new key to make it again.`;
  return conflict(`Idempotency-Key: ${message}`, [{ path: 'Idempotency-Key', message }]);
}

export const notFound = (what: string): Problem => new Problem(404, `There is no such ${what}.`);

export const conflict = (detail: string, errors?: readonly FieldError[]): Problem =>
  new Problem(409, detail, { errors });
