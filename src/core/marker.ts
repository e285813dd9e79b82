import { type Digest, wholeDigest } from './digest.ts';

/** What a comment of ours says to later runs, hidden from its reader. */
export interface Marker {
  /** See `targetHash`. */
  readonly target: string;
  /** Changes that the comment showed and that were not applied yet. */
  readonly digests: readonly Digest[];
  /** In place of `digests` where those are too many: all or nothing. */
  readonly whole: string | null;
}

/** Base64 of 4,500 digests: leaves 17,000 of a comment's 65,536 characters to its reader. */
const MOST_DIGESTS = 4_500;

/** A marker for these digests; one digest of the whole where they are too many for a comment. */
export function markerFor(target: string, digests: readonly Digest[]): Marker {
  return digests.length <= MOST_DIGESTS
    ? { target, digests, whole: null }
    : { target, digests: [], whole: wholeDigest(digests) };
}

/** One line, an HTML comment: the first line of a comment's body. */
export function markerText({ target, digests, whole }: Marker): string {
  const packed = Buffer.from(digests.join(''), 'hex').toString('base64');
  return `<!-- litellm-user-sync:1 target=${target} digests=${packed} whole=${whole ?? ''} -->`;
}

const MARKER = /^<!-- litellm-user-sync:1 target=([0-9a-f]{16}) digests=([0-9A-Za-z+/=]*) whole=([0-9a-f]{32})? -->/;

/** Reads the marker at the very beginning of a body; `null` where there is none or it is another target's. */
export function parseMarker(body: string, target: string): Marker | null {
  const found = MARKER.exec(body);
  if (found === null || found[1] !== target) return null;
  const packed = Buffer.from(found[2] as string, 'base64').toString('hex');
  return { target, digests: packed.match(/.{16}/g) ?? [], whole: found[3] ?? null };
}

/** The body with another marker in place of its own. */
export function replaceMarker(body: string, marker: Marker): string {
  return body.replace(MARKER, () => markerText(marker));
}
