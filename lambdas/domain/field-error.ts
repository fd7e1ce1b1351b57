/** One wrong field of the input: where it is, and what to do about it. */
export type FieldError = { readonly path: string; readonly message: string };
