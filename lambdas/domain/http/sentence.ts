/**
 * What is wrong, as a sentence with the remedy. A host that begins it stays as it is written.
 *
 * @param what a clause without a full stop, such as `the URL is not encrypted`
 */
export const sentence = (what: string, remedy?: string): string =>
  `${what.replace(/^(the|port) /, capitalized)}${remedy === undefined ? '' : `: ${remedy}`}.`;

const capitalized = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
