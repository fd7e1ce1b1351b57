/** Ids that are taken from one paste. */
export const MAX_IDS = 10_000;

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi;

/** The UUIDs in a text, each once, in their order; and what else there is, in numbers. */
export function idsIn(text: string) {
  const all = (text.match(UUID) ?? []).map((id) => id.toLowerCase());
  const unique = [...new Set(all)];
  const otherLines = text.split('\n').filter((line) => line.trim() !== '' && line.search(UUID) < 0).length;
  return {
    ids: unique.slice(0, MAX_IDS),
    repeated: all.length - unique.length,
    beyond: Math.max(0, unique.length - MAX_IDS),
    otherLines,
  };
}
