import { STATUS_CODES } from 'node:http';
import type { FieldError } from '../../domain/field-error.ts';

/** A refusal that the caller is told, as problem details (RFC 9457). */
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

/** The input is wrong in the named fields. */
export function invalid(errors: readonly FieldError[]): Problem {
  const named = errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  return new Problem(400, named.join(' '), { errors });
}

export const notFound = (what: string): Problem => new Problem(404, `There is no such ${what}.`);

export const conflict = (detail: string, errors?: readonly FieldError[]): Problem =>
  new Problem(409, detail, { errors });
