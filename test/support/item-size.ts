/** What an item counts, in bytes, by DynamoDB's rules (developer guide, "DynamoDB item sizes and formats"). */
export function itemSize(item: Readonly<Record<string, unknown>>): number {
  return Object.entries(item)
    .filter(([, value]) => value !== undefined)
    .reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueSize(value), 0);
}

function valueSize(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  // A byte for two digits, one more, and one for a sign.
  if (typeof value === 'number') {
    return Math.ceil(String(value).replace(/[^0-9]/g, '').length / 2) + (value < 0 ? 2 : 1);
  }
  if (Array.isArray(value)) return 3 + value.reduce((sum, each) => sum + 1 + valueSize(each), 0);
  if (typeof value === 'object' && value !== null) {
    return 3 + Object.keys(value).length + itemSize(value as Record<string, unknown>);
  }
  return 1;
}
