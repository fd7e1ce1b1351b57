/** What one check found: a sentence, and what to do unless all is well. */
export type Finding =
  | { readonly state: 'ok'; readonly detail: string }
  | { readonly state: 'warning' | 'failed'; readonly detail: string; readonly remedy: string };
export type Check = Finding & { readonly name: string };

/** Things in English, such as `1 message`, `2 messages`. */
export const counted = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? '' : 's'}`;
