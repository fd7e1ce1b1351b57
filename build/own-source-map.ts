import { decode, encode, type SourceMapSegment } from '@jridgewell/sourcemap-codec';

type SourceMap = {
  readonly sources: readonly string[];
  readonly names: readonly string[];
  readonly mappings: string;
};

/**
 * The source map of a bundle (JSON, ECMA-426) without what it says of packages. Node reads the map of each file that it
 * loads, and most of a bundle comes from packages, whose frames may stay columns of the bundle.
 */
export function ownSourceMap(json: string): string {
  const { sources, names, mappings } = JSON.parse(json) as SourceMap;
  const ownSources = new Indices();
  const ownNames = new Indices();

  function own(segment: SourceMapSegment): SourceMapSegment {
    if (segment.length === 1) return segment;
    const [column, source, sourceLine, sourceColumn, name] = segment;
    const path = sources[source] ?? '';
    if (path.includes('node_modules/')) return [column];
    const origin = [column, ownSources.of(path), sourceLine, sourceColumn] as const;
    return name === undefined ? [...origin] : [...origin, ownNames.of(names[name] ?? '')];
  }

  const lines = decode(mappings).map((segments) =>
    segments.map(own).filter((each, index, all) => each.length > 1 || all[index - 1]?.length !== 1),
  );
  return JSON.stringify({
    version: 3,
    sources: ownSources.values(),
    names: ownNames.values(),
    mappings: encode(lines),
  });
}

/** Numbers values in the order in which they come. */
class Indices {
  readonly #byValue = new Map<string, number>();

  of(value: string): number {
    const index = this.#byValue.get(value) ?? this.#byValue.size;
    this.#byValue.set(value, index);
    return index;
  }

  values(): string[] {
    return [...this.#byValue.keys()];
  }
}
